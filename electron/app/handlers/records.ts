/** Handlers of single records and of what people are told. */
import type { contract } from '#shared/contract/index.ts';
import type { Handlers } from '../handler.ts';
import {
  approveTexts,
  changeRecord,
  explainRecord,
  predictRecord,
  proposeTexts,
  recordForm,
  recordReasons,
} from '../records.ts';
import type { HandlerDeps } from './deps.ts';

export function recordsHandlers({
  inference,
}: HandlerDeps): Pick<Handlers<typeof contract>, 'records'> {
  return {
    records: {
      form: (context, { version }) => recordForm(context, version, inference),
      predict: (context, asked) => predictRecord(context, asked, inference),
      explain: (context, asked) => explainRecord(context, asked, inference),
      change: (context, asked) => changeRecord(context, asked, inference),
      reasons: (context, asked) => recordReasons(context, asked, inference),
      reasonTexts: ({ open }, { version }) => {
        const { registry, reasonTexts } = open();
        return reasonTexts.show(registry.resolve(version));
      },
      proposeTexts: (context, asked) => proposeTexts(context, asked, inference),
      approveTexts,
    },
  };
}
