/** Every rule of the gate: what it is called, how grave it is, what a person can do, and the error code of a refusal by it. */
import type { ErrorCode } from '#shared/errors.ts';
import type { Finding } from '#shared/contract/bundles.ts';

interface Rule {
  readonly level: Finding['level'];
  readonly title: string;
  readonly help: string;
  readonly code: ErrorCode;
}

const rule = (
  level: Finding['level'],
  title: string,
  help: string,
  code: ErrorCode = 'refused',
): Rule => ({ level, title, help, code });

export const rules = {
  'SR-PATH-001': rule(
    'error',
    'A path leads out of the bundle',
    'Nobody packs such a path by accident. Keep the medium apart and tell your security officer.',
  ),
  'SR-PATH-002': rule(
    'error',
    'A link or special file',
    'A bundle holds plain files and folders only. Ask the sender to pack the files themselves.',
  ),
  'SR-PATH-003': rule(
    'error',
    'Two files with the same name',
    'Names that differ only in case or in Unicode form would overwrite each other on some systems. Ask the sender to rename one.',
  ),
  'SR-LIMIT-001': rule(
    'error',
    'Larger than the gate allows',
    'The bound protects this machine from archives that unpack without end. Ask the sender for a smaller bundle.',
    'limit',
  ),
  'SR-SIG-001': rule(
    'error',
    'Not signed',
    'Ask the sender to sign the bundle (OpenSSF Model Signing), or have a second person take the responsibility where the policy allows it.',
  ),
  'SR-SIG-002': rule(
    'error',
    'Signed by a key that is not trusted here',
    'Compare the key with the sender over another channel, then have an administrator trust it.',
  ),
  'SR-SIG-003': rule(
    'error',
    'The signature does not fit the files',
    'The bundle was changed after it was signed, or the signature is another one. Do not use it; ask for a fresh copy.',
    'tampered',
  ),
  'SR-SIG-004': rule(
    'error',
    'Fewer trusted signers than the policy asks for',
    'Ask those who are missing to sign the bundle too (model.NAME.sig beside model.sig), or have a second person take the responsibility where the policy allows it.',
  ),
  'SR-SIG-005': rule(
    'note',
    'A further signature that nobody here can judge',
    'It neither helps nor harms: others whom this vault trusts have signed. Have its signer trusted if it should count.',
  ),
  'SR-BUNDLE-001': rule(
    'error',
    'No ONNX model in it',
    'A bundle needs at least one file that ends in .onnx.',
  ),
  'SR-BUNDLE-002': rule(
    'error',
    'Several models and no pointer to one',
    'Pick one when it is imported (import --model PATH). Or have its maker add a pipeline.json that names the model to run, or call it model.onnx.',
  ),
  'SR-BUNDLE-003': rule(
    'warning',
    'A file that can carry program code',
    'Strongroom stores it and never runs it. Ask the sender why it is there.',
  ),
  'SR-BUNDLE-004': rule(
    'error',
    'A description that cannot be read',
    'The file does not follow its schema. Ask the sender to correct it; a wrong description is worse than none.',
    'corrupt',
  ),
  'SR-BUNDLE-005': rule(
    'error',
    'An archive with a password',
    'What is in it cannot be looked at. Ask for one without; the vault encrypts what it stores.',
  ),
  'SR-BUNDLE-006': rule(
    'error',
    'A damaged archive',
    'Nothing was stored. Copy it again from its source; if that does not help, ask the sender for a fresh one.',
    'corrupt',
  ),
  'SR-BUNDLE-007': rule(
    'error',
    'A container that is not read here',
    'Nothing was stored. Ask for a folder, or a zip (Deflate or no compression), tar, tar.gz or tar.zst; an OCI image layout is taken too.',
    'unsupported',
  ),
  'SR-BUNDLE-008': rule(
    'error',
    'A medium that gives other bytes each time',
    'The medium is failing, or made to deceive. Copy the bundle to another one and tell your security officer.',
    'tampered',
  ),
  'SR-BUNDLE-009': rule(
    'error',
    'A pipeline that names what is not there',
    'pipeline.json speaks of an input, an output or a file that the bundle does not have. Ask the sender to correct it.',
    'corrupt',
  ),
  'SR-OCI-001': rule(
    'error',
    'A part of the image is not the one that its manifest names',
    'It was changed or damaged after it was packed. Do not use it; ask for a fresh copy.',
    'tampered',
  ),
  'SR-OCI-002': rule(
    'error',
    'A part of the image is missing',
    'Copy the whole image layout again. Tools that copy only what a registry lacks leave parts out.',
    'corrupt',
  ),
  'SR-OCI-003': rule(
    'error',
    'An image whose manifest cannot be followed',
    'The gate takes ModelPack models and KitOps ModelKits. Ask the sender to pack it with a tool that follows one of them.',
    'corrupt',
  ),
  'SR-OCI-004': rule(
    'error',
    'Several models in one image layout',
    'Copy the one that is meant into a layout of its own, with skopeo or oras.',
  ),
  'SR-PART-001': rule(
    'error',
    'A part of the archive is missing or wrong',
    'Copy the part that is named again, then start over.',
    'corrupt',
  ),
  'SR-ONNX-001': rule(
    'error',
    'Not an ONNX model',
    'The file does not parse as ONNX. It may be damaged, or something else under this name.',
    'corrupt',
  ),
  'SR-ONNX-002': rule(
    'error',
    'Operators of an unknown domain',
    'Only the operator domains of ONNX and ONNX Runtime are allowed, because others need a library that runs native code.',
  ),
  'SR-ONNX-003': rule(
    'error',
    'An operator that runs foreign code',
    'This operator hands control to Python or to a precompiled binary, which cannot be inspected.',
  ),
  'SR-ONNX-004': rule(
    'error',
    'Weights outside of the bundle',
    'External data must be a plain file of the same bundle, so that the signature covers it.',
  ),
  'SR-ONNX-005': rule(
    'error',
    'A tensor does not fit its data',
    'The size that the tensor claims and the bytes that it has disagree. The model is damaged or crafted.',
  ),
  'SR-ONNX-006': rule(
    'error',
    'A graph nested or recursive beyond reason',
    'Such a graph can keep the machine busy without end. Ask the sender for a flat export.',
    'limit',
  ),
  'SR-ONNX-007': rule(
    'error',
    'More nodes or functions than the gate allows',
    'The bound protects this machine from graphs that unfold without end.',
    'limit',
  ),
  'SR-ONNX-008': rule(
    'note',
    'Loops in the graph',
    'A loop may run long. The model runs in a process with limits on time and memory.',
  ),
  'SR-ONNX-009': rule(
    'note',
    'An output is rewritten',
    'Maps, sequences and narrow number types are given out as plain tensors; the values stay the same.',
  ),
  'SR-ONNX-010': rule(
    'error',
    'An input or output that cannot be used',
    'Inputs and outputs must be tensors of numbers, booleans or strings, or sequences of them.',
  ),
  'SR-ONNX-011': rule(
    'error',
    'A function in the place of an operator',
    'The domains of ONNX and ONNX Runtime are theirs: the runtime would compute something else than the file says. Ask the sender for an export with functions in a domain of their own.',
  ),
  'SR-ONNX-012': rule(
    'error',
    'Larger than the runtime can load',
    'A model file cannot have more than 2 GiB. Ask the sender for an export that keeps its weights in external data.',
    'limit',
  ),
  'SR-ONNX-013': rule(
    'error',
    'Something said twice',
    'Readers of such a file differ in what they take, so nobody can say what was inspected. Ask for a fresh export.',
    'corrupt',
  ),
  'SR-ONNX-014': rule(
    'error',
    'A name that hides what it is',
    'Names must be readable texts: without control characters, marks of no width and changes of direction, and not longer than 64 KiB.',
  ),
  'SR-ONNX-015': rule(
    'error',
    'Two things of one name',
    'Which of the two is meant depends on the reader. Ask the sender for a fresh export.',
    'corrupt',
  ),
  'SR-ONNX-016': rule(
    'error',
    'A constant that fills the memory',
    'The graph itself makes a tensor of more than 2^30 values, whatever the input is. No honest export does.',
    'limit',
  ),
  'SR-ONNX-017': rule(
    'error',
    'A sparse tensor that does not fit',
    'Its indices lead out of the tensor, or it unfolds to more than the gate allows. The model is damaged or crafted.',
    'corrupt',
  ),
  'SR-ONNX-018': rule(
    'warning',
    'Bytes that belong to no ONNX field',
    'The runtime passes over them; they may be newer than this gate, or a hiding place. Ask the sender what they are.',
  ),
  'SR-ONNX-019': rule(
    'error',
    'Two kinds of file in one',
    'The file is a model to some programs and an archive to others. Ask the sender for the model alone.',
  ),
  'SR-ONNX-020': rule(
    'warning',
    'Graphs for training',
    'They were scanned like the others and are never run here. Ask for an export for inference.',
  ),
  'SR-ONNX-021': rule(
    'warning',
    'Metadata that is no description',
    'The entry is long, or begins like a program. Strongroom never uses it; ask the sender what it is for.',
  ),
  'SR-ONNX-022': rule(
    'warning',
    'Quantization of what is not there',
    'The runtime passes over the description. The graph may have been changed after it was quantized.',
  ),
  'SR-ONNX-023': rule(
    'note',
    'Wants certain devices',
    'The wish is passed over: models run on the processor of this machine.',
  ),
  'SR-SCAN-001': rule(
    'error',
    'The scanner did not survive the model',
    'It runs in a process of its own, so nothing else was harmed. Keep the medium apart and tell your security officer.',
  ),
  'SR-SCAN-002': rule(
    'error',
    'The scanner did not come to an end',
    'The model keeps the scanner busy beyond its bounds. Ask the sender for a plainer export.',
    'limit',
  ),
  'SR-SCAN-003': rule(
    'error',
    'The scanner ran out of memory',
    'The structure of the model, without its weights, is larger than the bound. Ask the sender for a plainer export.',
    'limit',
  ),
  'SR-CARD-001': rule(
    'note',
    'No model card',
    'A CycloneDX file bom.cdx.json tells what the model is for and where it fails.',
  ),
  'SR-GOLDEN-001': rule(
    'note',
    'No golden vectors',
    'With golden/cases.json the gate can check that the model computes here what it computed at its maker.',
  ),
} as const satisfies Record<string, Rule>;

export type RuleId = keyof typeof rules;

/** `message` says what was seen, without values from the files. */
export function findingOf(ruleId: RuleId, path: string, message: string): Finding {
  const { level, title, help } = rules[ruleId];
  return { ruleId, level, title, help, path, message };
}
