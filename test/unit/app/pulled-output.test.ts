/** A run whose output goes to a drive that is pulled out in the middle, and that is plugged in again. */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { contract } from '#shared/contract/index.ts';
import { onStep } from '#platform/steps.ts';
import { appPasswords, openBareApp } from '../../support/bare-app.ts';
import { signedFolder, signingKey } from '../../support/bundles.ts';
import { hasDrives, plugInWritable } from '../../support/drives.ts';
import { temporaryFolder } from '../../support/vaults.ts';

test.skipIf(!hasDrives).each(['run: part files made', 'run: how far it came is recorded'])(
  'pulled out at "%s": the run is not lost, and leaves nothing when it goes on or is given up',
  async (point) => {
    const dir = temporaryFolder();
    const { app, client, wait } = openBareApp(dir, { checkpointMs: 0 });
    onTestFinished(() => app.close());
    await client.vault.create({ user: 'ada', password: appPasswords.ada });
    writeFileSync(join(dir, 'maker.pem'), signingKey.publicPem);
    await client.policy.set({ secondPerson: false, reason: 'as tested' });
    await client.trust.add({ name: 'Maker', file: app.admitFile(join(dir, 'maker.pem')) });
    const source = app.admitFile(await signedFolder(join(dir, 'tested')));
    await wait(contract.bundles.import, client.bundles.import({ source, name: 'tested' }));
    const lines = Array.from({ length: 60_000 }, (_, at) => `${at},${(at * 7919) % 1013}.25`);
    writeFileSync(join(dir, 'rows.csv'), `a,b\n${lines.join('\n')}\n`);
    const input = app.admitFile(join(dir, 'rows.csv'));
    const runInto = (folder: string, name: string) =>
      wait(
        contract.runs.start,
        client.runs.start({ version: 'tested', input, folder: app.admitFile(folder), name }),
      );
    const whole = await runInto(dir, 'whole.csv');

    const drive = join(dir, 'drive');
    const image = join(dir, 'drive.img');
    const ofRuns = (): string[] => readdirSync(drive).filter((name) => name !== 'lost+found');
    /** Runs into the drive, which is pulled out on the way. */
    const interrupt = async (name: string): Promise<string> => {
      const first = plugInWritable(drive, image);
      onStep((reached) => {
        if (reached === point) first.pullOut();
      });
      await expect(runInto(drive, name)).rejects.toMatchObject({ message: /When it is back/ });
      onStep(() => undefined);
      expect(ofRuns()).toEqual([]);
      const [run] = await client.runs.list({});
      expect(run).toMatchObject({ state: 'interrupted', canGoOn: true });
      return run?.runId ?? '';
    };

    const runId = await interrupt('out.csv');
    const goOn = () => wait(contract.runs.resume, client.runs.resume({ runId }));
    // While it is out, nothing is lost, and nothing is written in its place.
    await expect(goOn()).rejects.toMatchObject({ code: 'conflict' });
    await expect(client.runs.giveUp({ runId })).rejects.toMatchObject({ code: 'io' });
    expect(ofRuns()).toEqual([]);
    const again = plugInWritable(drive, image);
    expect(ofRuns()).toHaveLength(2);
    writeFileSync(join(drive, '.out.csv.0123456789abcdef.part'), 'of another');
    expect(await goOn()).toMatchObject({ rows: whole.rows, outputDigest: whole.outputDigest });
    expect(readFileSync(join(drive, 'out.csv'))).toEqual(readFileSync(join(dir, 'whole.csv')));
    const left = ['.out.csv.0123456789abcdef.part', 'out.csv', 'out.csv.receipt.json'];
    expect(ofRuns().sort()).toEqual(left);
    again.pullOut();

    const second = await interrupt('second.csv');
    plugInWritable(drive, image);
    expect(ofRuns()).toHaveLength(5);
    expect(await client.runs.giveUp({ runId: second })).toMatchObject({ canGoOn: false });
    expect(ofRuns().sort()).toEqual(left);
  },
);
