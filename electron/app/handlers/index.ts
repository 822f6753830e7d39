/** One line per method of the contract: from the call to the part of the product that does it. */
import type { contract } from '#shared/contract/index.ts';
import type { Handlers } from '../handler.ts';
import { handlerDeps, type AppParts } from './deps.ts';
import { evidenceHandlers } from './evidence.ts';
import { intakeHandlers } from './intake.ts';
import { modelsHandlers } from './models.ts';
import { peopleHandlers } from './people.ts';
import { recordsHandlers } from './records.ts';
import { servingHandlers } from './serving.ts';
import { systemHandlers } from './system.ts';

export function createHandlers(parts: AppParts): Handlers<typeof contract> {
  const deps = handlerDeps(parts);
  return {
    ...systemHandlers(deps),
    ...peopleHandlers(deps),
    ...intakeHandlers(deps),
    ...modelsHandlers(deps),
    ...recordsHandlers(deps),
    ...evidenceHandlers(deps),
    ...servingHandlers(deps),
  };
}
