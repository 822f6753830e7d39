import { useMemo, useState } from 'react';
import { client } from './client.ts';
import { go } from './routes.ts';
import { useQuery } from './use-query.ts';
import { Dialog } from '../ui/Dialog.tsx';

interface Command {
  readonly label: string;
  readonly kind: string;
  readonly run: () => void;
}

/** Ctrl+K: every page, every model, every run, every log index. */
export function Palette({
  pages,
  onSeal,
  onClose,
}: {
  readonly pages: readonly { readonly name: string; readonly path: string }[];
  readonly onSeal: () => void;
  readonly onClose: () => void;
}) {
  const [text, setText] = useState('');
  const [chosen, setChosen] = useState(0);
  const models = useQuery('palette models', () => client.models.list(null), ['models']);
  const runs = useQuery('palette runs', () => client.runs.list({ limit: 50 }), ['runs']);
  const commands = useMemo((): Command[] => {
    const index = /^\d{1,9}$/.test(text.trim())
      ? [{ label: `Log entry ${text.trim()}`, kind: 'Audit', run: () => go('audit', text.trim()) }]
      : [];
    const all = [
      ...index,
      ...pages.map(({ name, path }) => ({ label: name, kind: 'Page', run: () => go(path) })),
      ...(models.data ?? []).map(({ name }) => ({
        label: name,
        kind: 'Model',
        run: () => go('models', name),
      })),
      ...(runs.data ?? []).map((run) => ({
        label: `${run.inputName}, ${run.model}@${run.version}`,
        kind: 'Run',
        run: () => go('run', 'result', run.runId),
      })),
      { label: 'Seal now', kind: 'Act', run: onSeal },
    ];
    const wanted = text.trim().toLowerCase();
    return all
      .filter(
        ({ label, kind }) => wanted === '' || `${label} ${kind}`.toLowerCase().includes(wanted),
      )
      .slice(0, 12);
  }, [text, pages, models.data, runs.data, onSeal]);
  const run = (command: Command | undefined): void => {
    if (command === undefined) return;
    onClose();
    command.run();
  };
  return (
    <Dialog title="Go to" onClose={onClose} className="palette">
      <input
        autoFocus
        role="combobox"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={`palette-${chosen}`}
        aria-label="Page, model, run or log index"
        placeholder="Page, model, run or log index"
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          setChosen(0);
        }}
        onKeyDown={(event) => {
          if (event.key === 'ArrowDown') setChosen((at) => Math.min(at + 1, commands.length - 1));
          else if (event.key === 'ArrowUp') setChosen((at) => Math.max(at - 1, 0));
          else if (event.key === 'Enter') run(commands[chosen]);
          else return;
          event.preventDefault();
        }}
      />
      <div role="listbox" id="palette-list" aria-label="Matches">
        {commands.map((command, at) => (
          <div
            role="option"
            id={`palette-${at}`}
            aria-selected={at === chosen}
            key={`${command.kind} ${command.label} ${at}`}
            onClick={() => run(command)}
          >
            <span className="wrap-anywhere">{command.label}</span>
            <span className="quiet small">{command.kind}</span>
          </div>
        ))}
        {commands.length === 0 ? (
          <p className="empty">Nothing fits. Type part of a name, or the index of a log entry.</p>
        ) : null}
      </div>
    </Dialog>
  );
}
