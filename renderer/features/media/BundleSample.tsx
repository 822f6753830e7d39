/** What a bundle looks like, for somebody who looks for one. */
export function BundleSample() {
  return (
    <dl className="sample-tree" aria-label="What a bundle looks like">
      <dt>credit-risk/</dt>
      <dd>a folder, or a ZIP or TAR archive of it, also in parts</dd>
      <dt>├ model.onnx</dt>
      <dd>the model; nothing works without it</dd>
      <dt>├ model.sig</dt>
      <dd>the signature over all files (OpenSSF Model Signing)</dd>
      <dt>├ pipeline.json</dt>
      <dd>which columns feed which inputs</dd>
      <dt>├ bom.cdx.json</dt>
      <dd>the model card: what it is for, where it fails</dd>
      <dt>├ golden/cases.json</dt>
      <dd>inputs with the outputs they must give</dd>
      <dt>└ reference.csv</dt>
      <dd>the data that later runs are compared with</dd>
    </dl>
  );
}
