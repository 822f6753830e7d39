/** Serving models to other programs of this computer, until it is asked to end. */
import type { Command } from 'commander';
import { defaultPort } from '#shared/contract/serving.ts';
import { plural } from '#platform/plural.ts';
import { answerNo, wholeNumber, type CommandContext, type Runner } from './command.ts';
import { endings } from './connection.ts';

interface ServeOptions {
  readonly port?: number;
  readonly queueDelay?: number;
  readonly maxBatch?: number;
  readonly tokenFile?: string;
}

export function addServeCommand(program: Command, runner: Runner): void {
  program
    .command('serve')
    .description(
      "serve models on 127.0.0.1 (Open Inference Protocol v2) until Control-C; the policy must allow it. NAME takes the model's tensors, NAME:rows columns of rows, which go through the pipeline",
    )
    .option('--port <n>', `port, ${defaultPort} unless said; 0 is any that is free`, wholeNumber)
    .option(
      '--queue-delay <microseconds>',
      'how long a request may wait for others to be run together with it; 0, unless said: each is run alone',
      wholeNumber,
    )
    .option('--max-batch <rows>', 'rows of requests that are run together, at most', wholeNumber)
    .option('--token-file <file>', 'write the token into this new file and not to the terminal')
    .action((options: ServeOptions, command: Command) =>
      runner.signedIn(command, (context) => serve(context, options)),
    );
}

async function serve(context: CommandContext, options: ServeOptions): Promise<number> {
  const { connection, client, output } = context;
  const { port, queueDelay, maxBatch, tokenFile } = options;
  const ended = untilEnded(context);
  const { address, token } = await client.serving.start({
    ...(port === undefined ? {} : { port }),
    ...(queueDelay === undefined ? {} : { maxQueueDelayMicroseconds: queueDelay }),
    ...(maxBatch === undefined ? {} : { maxBatch }),
  });
  if (tokenFile !== undefined) await connection.write(tokenFile, `${token}\n`, 'secret');
  output.result(
    tokenFile === undefined ? { address, token } : { address, tokenFile },
    `Serving on http://${address} until Control-C.\n${
      tokenFile === undefined ? `Token, shown this once: ${token}` : `The token is in ${tokenFile}.`
    }\nEvery request carries it: Authorization: Bearer TOKEN`,
  );
  if ((await ended) === 'sealed') {
    output.notice('The vault was sealed, or the policy changed, so nothing is served any more.');
    return answerNo;
  }
  const { models } = await client.serving.stop(null);
  for (const { model, version, succeeded, failed } of models)
    output.notice(
      `${model}@${version}: ${plural(succeeded, 'request')} answered, ${failed} failed`,
    );
  return 0;
}

/** Asked by a signal, or because something else has stopped it. */
function untilEnded({ connection, client }: CommandContext): Promise<'asked' | 'sealed'> {
  return new Promise((resolve) => {
    const finish = (why: 'asked' | 'sealed'): void => {
      stop();
      for (const signal of endings) process.off(signal, asked);
      resolve(why);
    };
    const asked = (): void => finish('asked');
    for (const signal of endings) process.on(signal, asked);
    let wasOn = false;
    const look = async (): Promise<void> => {
      const on = await client.serving.status(null).then(
        ({ listening }) => listening !== null,
        () => false, // sealed
      );
      if (wasOn && !on) finish('sealed');
      wasOn ||= on;
    };
    const stop = connection.onEvent((event) => {
      if (event.kind === 'changed') void look();
    });
  });
}
