import { z } from 'zod';
import {
  digest,
  fileName,
  fileToken,
  modelName,
  password,
  reason,
  timestamp,
  userName,
  versionRef,
} from '../ids.ts';
import { job, method } from '../rpc.ts';
import { analysts, everyone } from '../roles.ts';
import { stage } from './stage.ts';

/** One value that a model takes or gives. Unknown sizes are `null`, named ones carry their name. */
export const tensorSpec = z.strictObject({
  name: z.string(),
  kind: z.enum(['tensor', 'sequence', 'map', 'optional', 'other']),
  type: z.string(),
  shape: z.array(z.union([z.int(), z.string(), z.null()])),
});
export type TensorSpec = z.infer<typeof tensorSpec>;

export const finding = z.strictObject({
  ruleId: z.string(),
  level: z.enum(['error', 'warning', 'note']),
  title: z.string(),
  path: z.string(),
  message: z.string(),
  help: z.string(),
});
export type Finding = z.infer<typeof finding>;

export const signatureResult = z.strictObject({
  status: z.enum(['verified', 'untrusted', 'invalid', 'absent']),
  method: z.enum(['key', 'certificate', 'sigstore']).nullable(),
  /** Name under which the signer is trusted here, else what the signature says of itself. */
  signer: z.string().nullable(),
  keyId: z.string().nullable(),
  /** Id of the entry of the trust list that it was verified under. */
  anchorId: z.string().nullable().default(null),
  /** First end of validity among the certificates that it was verified by. */
  expiresAt: timestamp.nullable().default(null),
  reason: z.string(),
});
export type SignatureResult = z.infer<typeof signatureResult>;

/** One of the signatures of a bundle: `model.sig`, or `model.<name>.sig` beside it. */
export const fileSignature = z.strictObject({ path: z.string(), ...signatureResult.shape });
export type FileSignature = z.infer<typeof fileSignature>;

/** How many different trusted signers the policy asks for, and the names of those that count. */
export const signerCount = z.strictObject({
  required: z.int().positive(),
  names: z.array(z.string()),
});
export type SignerCount = z.infer<typeof signerCount>;

export const signingAlgorithm = z.enum(['p256', 'p384', 'p521']);
export type SigningAlgorithm = z.infer<typeof signingAlgorithm>;

/** What a model card (CycloneDX `modelCard`) says, reduced to what the window shows. */
export const modelCard = z.strictObject({
  name: z.string().nullable(),
  version: z.string().nullable(),
  description: z.string().nullable(),
  task: z.string().nullable(),
  approach: z.string().nullable(),
  architecture: z.string().nullable(),
  licences: z.array(z.string()),
  metrics: z.array(
    z.strictObject({
      type: z.string(),
      value: z.string(),
      slice: z.string().nullable(),
      low: z.string().nullable(),
      high: z.string().nullable(),
    }),
  ),
  useCases: z.array(z.string()),
  limitations: z.array(z.string()),
  ethics: z.array(z.string()),
});
export type ModelCard = z.infer<typeof modelCard>;

export const modelFacts = z.strictObject({
  path: z.string(),
  sizeBytes: z.number(),
  producer: z.string(),
  irVersion: z.number(),
  opsets: z.array(z.strictObject({ domain: z.string(), version: z.number() })),
  nodes: z.int(),
  operators: z.array(z.strictObject({ name: z.string(), count: z.int() })),
  parameters: z.number(),
  /** Files beside the model that hold its weights, as it names them. */
  externalData: z.array(z.string()),
  inputs: z.array(tensorSpec),
  outputs: z.array(tensorSpec),
  /** Picked by who imported the bundle, in place of the model that the bundle means; its descriptions are not about this one. */
  isPicked: z.literal(true).optional(),
});
export type ModelFacts = z.infer<typeof modelFacts>;

const fileFacts = z.strictObject({ path: z.string(), bytes: z.number(), sha256: z.string() });

export const inspectReport = z.strictObject({
  name: z.string(),
  format: z.string(),
  manifestDigest: digest,
  totalBytes: z.number(),
  files: z.array(fileFacts),
  /** Of a bundle that was not read to its end: the files on the medium that it is packed in, where they can be read. */
  packedIn: z.array(fileFacts),
  /** The one that decides; `signatures` has them all. */
  signature: signatureResult,
  signatures: z.array(fileSignature),
  signers: signerCount,
  findings: z.array(finding),
  verdict: z.enum(['accept', 'refuse']),
  /** Could a policy override, by a second person and with a reason, still let it in? */
  overridable: z.boolean(),
  /** One sentence for the headline. */
  summary: z.string(),
  model: modelFacts.nullable(),
  /** Paths of all models in the bundle, the first hundred; one of them is imported at a time. */
  models: z.array(z.string()).max(100),
  card: modelCard.nullable(),
  /** What the bundle's own format says of the model (MLmodel, config.pbtxt, config of an image), shown and not verified. */
  declares: z.array(z.strictObject({ name: z.string(), value: z.string() })),
  goldenCases: z.int(),
  hasReference: z.boolean(),
  /** Files that a trusted signature lists and that did not have to be read from the medium. */
  reused: z.array(z.strictObject({ path: z.string(), from: z.enum(['vault', 'interrupted']) })),
});
export type InspectReport = z.infer<typeof inspectReport>;

export const firstContact = z.strictObject({
  status: z.enum(['passed', 'failed', 'skipped']),
  runtime: z.enum(['wasm', 'native']).nullable(),
  goldenChecked: z.int(),
  goldenFailed: z.int(),
  message: z.string(),
});
export type FirstContact = z.infer<typeof firstContact>;

/** Who let a bundle in that the gate would have refused, and why; null where an older vault did not keep it. */
export const overrideMark = z.strictObject({
  by: z.string().nullable(),
  reason: z.string().nullable(),
});
export type OverrideMark = z.infer<typeof overrideMark>;

export const importResult = z.strictObject({
  ...inspectReport.shape,
  modelName,
  version: z.int().positive(),
  digest,
  stage,
  firstContact,
  overridden: z.boolean(),
  override: overrideMark.nullable(),
});
export type ImportResult = z.infer<typeof importResult>;

export const bundles = {
  inspect: job({
    input: z.strictObject({
      source: fileToken,
      trust: z.array(fileToken).max(20).optional(),
      /** Path of the model to look at, in place of the one that the bundle means. */
      model: z.string().min(1).max(1000).optional(),
      /** A new file for the findings as SARIF 2.1.0. */
      sarif: z.strictObject({ folder: fileToken, name: fileName }).optional(),
    }),
    output: inspectReport,
    access: 'anyone',
    about: 'Opens, identifies, verifies and scans a bundle without importing it.',
  }),
  import: job({
    input: z.strictObject({
      source: fileToken,
      name: modelName.optional(),
      /** Path of the model to take, in place of the one that the bundle means. */
      model: z.string().min(1).max(1000).optional(),
      /** A second person who takes the responsibility where the policy allows it. */
      override: z.strictObject({ reason, user: userName, password }).optional(),
    }),
    output: importResult,
    access: analysts,
    action: 'bundle.import',
    about: 'Takes a bundle through the gate into the vault as a new version.',
  }),
  export: job({
    input: z.strictObject({
      version: versionRef,
      folder: fileToken,
      name: fileName,
      /** Leaves out the files that this version has too; whoever has that version needs no more. */
      since: versionRef.optional(),
    }),
    output: z.strictObject({ path: z.string(), files: z.int(), totalBytes: z.number(), digest }),
    access: analysts,
    action: 'bundle.export',
    about: 'Writes the files of a version, as they came in, to a new folder.',
  }),
  verdict: method({
    input: z
      .strictObject({
        version: versionRef.optional(),
        /** Index of the log entry that announced an import; the way to a refused one. */
        entry: z.int().nonnegative().optional(),
        folder: fileToken,
        name: fileName,
      })
      .refine(({ version, entry }) => (version === undefined) !== (entry === undefined), {
        error: 'Name a version or a log entry.',
      }),
    output: z.strictObject({
      decision: z.enum(['accepted', 'overridden', 'refused']),
      /** The new folder with `svr.dsse.json` and `findings.sarif`. */
      path: z.string(),
    }),
    access: everyone,
    about: 'Writes the signed verdict of the gate and its findings (SARIF) to a new folder.',
  }),
  keygen: method({
    input: z.strictObject({
      folder: fileToken,
      name: fileName,
      algorithm: signingAlgorithm.default('p256'),
    }),
    output: z.strictObject({
      privateKeyPath: z.string(),
      publicKeyPath: z.string(),
      keyId: z.string(),
    }),
    access: 'anyone',
    about: 'Makes an ECDSA key pair for signing bundles.',
  }),
  sign: job({
    input: z.strictObject({
      source: fileToken,
      key: fileToken,
      /** PEM chain of the key, its own certificate first: method `certificate` instead of `key`. */
      certificates: fileToken.optional(),
      ignorePaths: z.array(z.string().min(1).max(1024)).max(100).optional(),
      /** Writes `model.<as>.sig` beside the signatures of others. */
      as: z
        .string()
        .regex(/^[\w-]{1,40}$/)
        .optional(),
    }),
    output: z.strictObject({ path: z.string(), files: z.int(), keyId: z.string() }),
    access: 'anyone',
    about: 'Signs a bundle folder (OpenSSF Model Signing 1.0) and writes model.sig into it.',
  }),
};
