/** The model card: a CycloneDX 1.6 BOM with a `machine-learning-model` component, reduced to what people read. */
import { z } from 'zod';
import { utf8Text } from '#platform/utf8.ts';
import type { ModelCard } from '#shared/contract/bundles.ts';

const line = z.string().max(4000);
const lines = z.array(line).max(200).catch([]);

const bom = z.looseObject({
  bomFormat: z.literal('CycloneDX'),
  metadata: z.looseObject({ component: z.unknown() }).optional(),
  components: z.array(z.unknown()).max(10_000).optional(),
});

const component = z.looseObject({
  type: z.literal('machine-learning-model'),
  name: line.optional(),
  version: line.optional(),
  description: line.optional(),
  licenses: z
    .array(
      z.looseObject({
        license: z.looseObject({ id: line.optional(), name: line.optional() }).optional(),
        expression: line.optional(),
      }),
    )
    .max(100)
    .catch([])
    .optional(),
  modelCard: z
    .looseObject({
      modelParameters: z
        .looseObject({
          approach: z.looseObject({ type: line.optional() }).optional(),
          task: line.optional(),
          architectureFamily: line.optional(),
          modelArchitecture: line.optional(),
        })
        .optional(),
      quantitativeAnalysis: z
        .looseObject({
          performanceMetrics: z
            .array(
              z.looseObject({
                type: line,
                value: z.union([line, z.number()]),
                slice: line.optional(),
                confidenceInterval: z
                  .looseObject({
                    lowerBound: z.union([line, z.number()]).optional(),
                    upperBound: z.union([line, z.number()]).optional(),
                  })
                  .optional(),
              }),
            )
            .max(1000)
            .optional(),
        })
        .optional(),
      considerations: z
        .looseObject({
          useCases: lines.optional(),
          technicalLimitations: lines.optional(),
          ethicalConsiderations: z
            .array(z.looseObject({ name: line.optional(), mitigationStrategy: line.optional() }))
            .max(200)
            .optional(),
        })
        .optional(),
    })
    .optional(),
});

/** Undefined when the text is no CycloneDX document with a model in it. */
export function parseCard(bytes: Uint8Array): ModelCard | undefined {
  try {
    const { metadata, components } = bom.parse(JSON.parse(utf8Text(bytes)));
    const candidates = [metadata?.component, ...(components ?? [])];
    const found = candidates
      .map((candidate) => component.safeParse(candidate))
      .find(({ success }) => success)?.data;
    return found === undefined ? undefined : componentToCard(found);
  } catch {
    return undefined; // not JSON, or not a BOM: the gate reports it as a finding
  }
}

function componentToCard({
  name,
  version,
  description,
  licenses,
  modelCard: card,
}: z.infer<typeof component>): ModelCard {
  const parameters = card?.modelParameters;
  const text = (value: string | number | undefined): string | null =>
    value === undefined ? null : String(value);
  return {
    name: name ?? null,
    version: version ?? null,
    description: description ?? null,
    task: parameters?.task ?? null,
    approach: parameters?.approach?.type ?? null,
    architecture: parameters?.modelArchitecture ?? parameters?.architectureFamily ?? null,
    licences: (licenses ?? []).flatMap(
      ({ license, expression }) => license?.id ?? license?.name ?? expression ?? [],
    ),
    metrics: (card?.quantitativeAnalysis?.performanceMetrics ?? []).map(
      ({ type, value, slice, confidenceInterval }) => ({
        type,
        value: String(value),
        slice: slice ?? null,
        low: text(confidenceInterval?.lowerBound),
        high: text(confidenceInterval?.upperBound),
      }),
    ),
    useCases: card?.considerations?.useCases ?? [],
    limitations: card?.considerations?.technicalLimitations ?? [],
    ethics: (card?.considerations?.ethicalConsiderations ?? []).map(
      ({ name: concern, mitigationStrategy }) =>
        [concern, mitigationStrategy].filter((part) => part !== undefined).join(': '),
    ),
  };
}
