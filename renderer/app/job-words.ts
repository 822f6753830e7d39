/** Jobs as people call them, and what came of them in a sentence and a place to go. */
import { contract } from '#shared/contract/index.ts';
import type { Operation } from '#shared/contract/operations.ts';
import { plural } from '../lib/format.ts';
import { linkTo } from './routes.ts';

const titles: Readonly<Record<string, string>> = {
  'bundles.inspect': 'Inspect a bundle',
  'bundles.import': 'Import a bundle',
  'bundles.export': 'Export a bundle',
  'bundles.sign': 'Sign a bundle',
  'runs.start': 'Score a file',
  'runs.resume': 'Go on with a run',
  'runs.export': 'Export kept data',
  'audit.verify': 'Verify the log',
  'audit.export': 'Export the log',
  'backups.make': 'Make a backup',
  'backups.check': 'Check a backup',
  'backups.restore': 'Restore a vault',
  'reports.make': 'Make a report',
  'reports.verify': 'Verify a file',
};

export function jobTitle({ method, title }: Operation): string {
  return titles[method] ?? title;
}

export interface JobOutcome {
  readonly text: string;
  readonly href?: string;
}

export function jobOutcome({ method, state, result }: Operation): JobOutcome | undefined {
  if (state !== 'done') return undefined;
  switch (method) {
    case 'bundles.inspect': {
      const report = contract.bundles.inspect.output.safeParse(result).data;
      return report && { text: `${report.name}: ${report.summary}` };
    }
    case 'bundles.import': {
      const imported = contract.bundles.import.output.safeParse(result).data;
      return (
        imported && {
          text: `${imported.modelName}@${imported.version} is ${imported.stage}`,
          href: linkTo('models', imported.modelName),
        }
      );
    }
    case 'runs.start':
    case 'runs.resume': {
      const run = contract.runs.start.output.safeParse(result).data;
      return (
        run && {
          text: `${plural(run.rows, 'row')} scored, ${run.rejected} rejected`,
          href: linkTo('run', 'result', run.runId),
        }
      );
    }
    case 'audit.verify': {
      const verified = contract.audit.verify.output.safeParse(result).data;
      return verified && { text: verified.message, href: linkTo('audit') };
    }
    case 'reports.verify': {
      const verdict = contract.reports.verify.output.safeParse(result).data;
      if (verdict?.status === 'incomplete')
        return { text: 'The file could not be checked in full' };
      return verdict && { text: `The file is ${verdict.status}` };
    }
    case 'backups.make': {
      const made = contract.backups.make.output.safeParse(result).data;
      return (
        made && {
          text:
            made.state === 'complete'
              ? `Snapshot ${made.snapshot ?? ''} is complete`
              : 'The medium is full; the backup goes on on the next',
          href: linkTo('admin', 'custody'),
        }
      );
    }
    case 'backups.check': {
      const checked = contract.backups.check.output.safeParse(result).data;
      return checked && { text: `The backup is ${checked.status}` };
    }
    case 'runs.export':
      return pathOf(contract.runs.export.output.safeParse(result).data);
    case 'audit.export':
      return pathOf(contract.audit.export.output.safeParse(result).data);
    case 'reports.make':
      return pathOf(contract.reports.make.output.safeParse(result).data);
    default:
      return undefined;
  }
}

function pathOf(made: { readonly path: string } | undefined): JobOutcome | undefined {
  return made && { text: `Written to ${made.path}` };
}
