/** Handlers of models and their runs. */
import { join } from 'node:path';
import { AppError } from '#shared/errors.ts';
import type { contract } from '#shared/contract/index.ts';
import type { Inference } from '#domain/inference/index.ts';
import type { ResolvedVersion } from '#domain/registry/index.ts';
import {
  formatOfName,
  type Dialect,
  type TableColumn,
  type TableFormat,
} from '#domain/tables/index.ts';
import { saveBinding, showBinding } from '../bindings.ts';
import { changed } from '../catalog-acts.ts';
import { compareVersions } from '../compare-versions.ts';
import { checkFiles } from '../custody.ts';
import {
  eraseData,
  eraseDue,
  eraseSubject,
  eraseVersion,
  erasureOverview,
  showSubject,
} from '../erase.ts';
import type { Handlers } from '../handler.ts';
import { exportKept } from '../keep-data.ts';
import { endErased, readPipeline, requireRunnable, storedModelFiles } from '../model-access.ts';
import { modelPaths, pageOf } from '../model-outlines.ts';
import { monitorView } from '../monitor-view.ts';
import type { OpenVaultState } from '../open-state.ts';
import { giveUpRun, interruptedRun } from '../run-journal.ts';
import { scoreRun } from '../score-run.ts';
import { writeNew } from '../small-files.ts';

import type { HandlerDeps } from './deps.ts';

export function modelsHandlers(
  deps: HandlerDeps,
): Pick<Handlers<typeof contract>, 'models' | 'bindings' | 'runs' | 'monitor' | 'erasure'> {
  const { clock, inference, pathOf, folderOf } = deps;
  return {
    models: {
      list: ({ open }) => {
        const { registry, runs } = open();
        return registry.list().map((model) => ({ ...model, ...lastRun(runs, model.name) }));
      },
      show: ({ open }, { model }) => {
        const { registry, runs } = open();
        const { summary, versions } = registry.show(model);
        return { summary: { ...summary, ...lastRun(runs, summary.name) }, versions };
      },
      version: ({ open }, { version }) => {
        const { stored: _stored, binding: _binding, ...detail } = open().registry.resolve(version);
        return detail;
      },
      parts: async ({ open, signal }, { version, path }) => {
        const { registry, outlines } = open();
        const resolved = registry.resolve(version);
        const { parts } = await outlines.of(resolved, path, signal);
        return {
          path: path ?? resolved.facts.path,
          paths: modelPaths(resolved),
          parts: parts.map(({ part }) => part),
        };
      },
      graph: async ({ open, signal }, { version, path, ...place }) => {
        const { registry, outlines } = open();
        return pageOf(await outlines.of(registry.resolve(version), path, signal), place);
      },
      diff: async ({ open, signal }, { from, to }) => {
        const { registry, vault } = open();
        const sides = { from: registry.resolve(from), to: registry.resolve(to) };
        return { from, to, ...(await compareVersions(vault, sides, signal)) };
      },
      history: ({ open }, { model }) => open().registry.history(model),
      promote: (context, { version, to, reason }) =>
        changed(context, ({ registry, policy, session }) =>
          registry.lifecycle.promote({
            version,
            to,
            reason,
            actor: session.user,
            secondPerson: policy.read().secondPerson,
          }),
        ),
      approve: (context, { version, reason }) =>
        changed(context, ({ registry, session }) =>
          registry.lifecycle.approve({ version, reason, actor: session.user }),
        ),
      reject: (context, { version, reason }) =>
        changed(context, ({ registry, session }) =>
          registry.lifecycle.reject({ version, reason, actor: session.user }),
        ),
      rollback: async (context, { model, reason }) => {
        const { registry, vault } = context.open();
        const target = registry.lifecycle.rollbackTarget(model);
        const version = registry.resolve(`${target.model}@${target.version}`);
        await checkFiles(vault, version, context.signal);
        return changed(context, ({ session }) =>
          registry.lifecycle.rollback({ model, reason, actor: session.user }),
        );
      },
      retire: (context, { version, reason }) =>
        changed(context, ({ registry, session }) =>
          registry.lifecycle.retire({ version, reason, actor: session.user }),
        ),
    },
    bindings: {
      show: showBinding,
      save: (context, { version, input, format, dialect, inputs }) => {
        const read = { inputPath: pathOf(input), format, dialect: definedOf(dialect) };
        return saveBinding(
          context,
          { version, inputs, columnsOf: headerOf(inference, read) },
          clock,
        );
      },
    },
    runs: {
      preview: async ({ open }, { version, input, format, dialect }) => {
        const { registry, vault } = open();
        const resolved = registry.resolve(version);
        requireRunnable(resolved);
        const pipeline = await readPipeline(vault, resolved);
        const { info, ...shown } = await inference.preview({
          inputPath: pathOf(input),
          inputs: resolved.facts.inputs,
          pipeline,
          assets: storedModelFiles(vault, resolved, pipeline).assets,
          format,
          dialect: definedOf(dialect),
        });
        return {
          model: resolved.model,
          version: resolved.version,
          format: info.format,
          dialect: info.dialect ?? null,
          ...shown,
        };
      },
      start: (
        context,
        { input, folder, name, subject, resume, format, dialect, outputFormat, ...asked },
      ) => {
        const { runs } = context.open();
        const outputPath = join(folderOf(folder), name);
        const [left] = resume ? runs.interruptedAt(outputPath) : [];
        return scoreRun(
          context,
          {
            ...asked,
            subject,
            format,
            dialect: definedOf(dialect),
            outputFormat: outputFormat ?? formatOfName(name),
            inputPath: pathOf(input),
            outputPath,
          },
          { clock, inference },
          left === undefined ? undefined : interruptedRun(runs, left),
        );
      },
      resume: (context, { runId }) => {
        const left = interruptedRun(context.open().runs, runId);
        const { version, inputPath, outputPath, settings } = left;
        const input = {
          version,
          inputPath,
          outputPath,
          subject: undefined,
          format: undefined,
          dialect: {},
          ...settings,
        };
        return scoreRun(context, input, { clock, inference }, left);
      },
      giveUp: (context, { runId, gone }) => {
        const { runs } = context.open();
        const { outputPath, version } = interruptedRun(runs, runId);
        context.note({
          objects: [
            { type: 'run', id: runId },
            { type: 'version', id: version },
          ],
        });
        giveUpRun(runs, { runId, outputPath, gone });
        return runs.show(runId).summary;
      },
      list: ({ open }, { model, limit }) => open().runs.list({ model, limit }),
      show: ({ open }, { runId }) => {
        const { runs, keptData } = open();
        return { ...runs.show(runId), kept: keptData.find(runId) ?? null };
      },
      receipt: async ({ open }, { runId, folder, name }) => {
        const { runs } = open();
        const receipt = runs.receiptOf(runId);
        const path = join(folderOf(folder), name);
        await writeNew(path, receipt.text, 0o644);
        return { path, digest: receipt.digest };
      },
      export: async (context, { runId, folder, name }) => {
        const path = join(folderOf(folder), name);
        return { path, ...(await exportKept(context, runId, path)) };
      },
    },
    monitor: {
      show: ({ open }, input) => monitorView(open(), input),
      setReference: ({ open, note }, { runId }) => {
        const opened = open();
        const { summary } = opened.runs.show(runId);
        const profile = opened.runs.profileOf(runId);
        if (profile === undefined)
          throw new AppError('conflict', 'Only a finished run can be the reference.');
        opened.runs.setReference(summary, {
          source: 'run',
          runId,
          since: clock().toISOString(),
          profile,
        });
        note({ objects: [{ type: 'version', id: `${summary.model}@${summary.version}` }] });
        return monitorView(opened, { version: `${summary.model}@${summary.version}` });
      },
    },
    erasure: {
      overview: ({ open }) => erasureOverview(open(), clock),
      version: async (context, input) => {
        const result = await eraseVersion(context, input);
        await endErased(context.open(), inference.pool);
        return result;
      },
      data: (context, input) => eraseData(context, input, clock),
      subject: eraseSubject,
      due: async (context, input) => {
        const result = await eraseDue(context, input, clock);
        await endErased(context.open(), inference.pool);
        return result;
      },
      showSubject,
    },
  };
}

/** What a file calls its columns, for a binding that is told from it. */
function headerOf(
  inference: Inference,
  read: {
    readonly inputPath: string;
    readonly format: TableFormat | undefined;
    readonly dialect: Partial<Dialect>;
  },
) {
  return async ({ facts }: ResolvedVersion): Promise<readonly TableColumn[]> => {
    const preview = { ...read, inputs: facts.inputs, pipeline: undefined };
    return (await inference.preview(preview)).info.columns;
  };
}

/** Without the members that nobody gave. */
function definedOf(dialect: {
  readonly [K in keyof Dialect]?: Dialect[K] | undefined;
}): Partial<Dialect> {
  return Object.fromEntries(Object.entries(dialect).filter(([, value]) => value !== undefined));
}

function lastRun(
  runs: OpenVaultState['runs'],
  model: string,
): { lastRunAt: string | null; monitorState: 'ok' | 'watch' | 'act' | 'unknown' } {
  const latest = runs.latest(model);
  return { lastRunAt: latest?.startedAt ?? null, monitorState: latest?.driftState ?? 'unknown' };
}
