/** Model pages in the window: what a version is, its graph as drawing and as table, and two versions side by side. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { contract } from '#shared/contract/index.ts';
import { writeModel, type OnnxModel } from '#domain/onnx/index.ts';
import { appPasswords, openBareApp } from '../support/bare-app.ts';
import { signedFolder, trusted } from '../support/bundles.ts';
import { branchingModel, meshModel, residualModel } from '../support/graph-models.ts';
import { signIn } from '../support/in-window.ts';
import { availableHosts, expectAccessible, openTestWindow } from '../support/window.ts';

/** A vault with models in it, made without a window. */
async function makeVault(
  dir: string,
  models: readonly (readonly [string, OnnxModel])[],
): Promise<void> {
  const { app, client, wait } = openBareApp(dir);
  await client.vault.create({ user: 'ada', password: appPasswords.ada });
  await client.users.add({ name: 'grace', role: 'analyst', password: appPasswords.grace });
  writeFileSync(join(dir, 'maker.pem'), trusted.pem);
  await client.trust.add({ name: 'Maker', file: app.admitFile(join(dir, 'maker.pem')) });
  await client.vault.seal(null);
  await client.vault.signIn({ user: 'grace', password: appPasswords.grace });
  for (const [name, model] of models) {
    const bundle = await signedFolder(mkdtempSync(join(dir, 'bundle-')), {
      'model.onnx': writeModel(model),
    });
    await wait(
      contract.bundles.import,
      client.bundles.import({ source: app.admitFile(bundle), name }),
    );
  }
  await app.close();
}

test.each(availableHosts())('models are looked into in the %s window', async (host) => {
  const dir = mkdtempSync(join(tmpdir(), 'strongroom-e2e-models-'));
  await makeVault(dir, [
    ['pictures', residualModel()],
    ['pictures', residualModel({ blocks: 5, fill: 0.02 })],
    ['branching', branchingModel()],
    ['mesh', meshModel(12_000)],
  ]);
  const window = await openTestWindow(dir, host);
  const { page } = window;
  const open = async (...parts: string[]): Promise<void> => {
    await page.evaluate(`location.hash = ${JSON.stringify(`#/models/${parts.join('/')}`)}`);
  };
  const drawing = page.getByRole('application', { name: /^Drawing of the graph/ });
  const side = page.getByRole('region', { name: 'Chosen node' });
  const chosen = async (title: string): Promise<void> => {
    await side.getByRole('heading', { level: 2, name: title, exact: true }).waitFor();
  };
  try {
    await signIn(page, 'grace');

    await open('pictures', 'about');
    await page.getByRole('region', { name: 'Inputs' }).getByText('batch × 3 × 32 × 32').waitFor();
    await expectAccessible(page, 'about');

    // Without a mouse: into the drawing, along its edges, back out of the choice.
    await open('pictures', 'graph');
    await drawing.focus();
    for (const key of ['ArrowDown', 'ArrowDown', 'ArrowDown']) await page.keyboard.press(key);
    await chosen('Relu');
    await side.getByText('float, batch×8×32×32 (inferred)').waitFor();
    await side.getByRole('button', { name: 'MaxPool MaxPool:block0' }).click();
    await chosen('MaxPool');
    await expectAccessible(page, 'graph, a node chosen');
    await drawing.focus();
    await page.keyboard.press('Escape');
    await page.getByText('Choose a node to see').waitFor();
    // With it: a click in the middle of the first box below the input.
    const box = await drawing.boundingBox();
    await page.keyboard.press('Home');
    await chosen('Input image');
    if (box === null) throw new Error('The drawing has no place.');
    await page.mouse.click(box.x + 8, box.y + box.height - 8);
    await page.getByText('Choose a node to see').waitFor();

    const search = page.getByRole('searchbox', { name: 'Search nodes and values' });
    await search.fill('add');
    await page.getByText('5 found').waitFor();
    await search.press('Enter');
    await search.press('Enter');
    await page.getByText('2 of 5').waitFor();
    await chosen('Add');
    await page.getByRole('button', { name: 'Table' }).click();
    expect(await page.getByRole('group', { name: 'Nodes' }).getByRole('button').count()).toBe(5);
    await page.getByRole('button', { name: /block4.sum/ }).click();
    await expectAccessible(page, 'graph as a table');

    // An older version.
    await page.getByRole('combobox', { name: 'Version' }).selectOption('1');
    await page.getByText('29 nodes, inputs and outputs').waitFor();

    await open('branching', 'graph');
    await search.fill('if');
    await search.press('Enter');
    await side.getByRole('button', { name: 'Open else_branch (4 nodes)' }).click();
    await page.getByRole('navigation', { name: 'Graphs' }).getByText('If:y › small').waitFor();
    await search.fill('scaled');
    await search.press('Enter');
    await side.getByRole('button', { name: 'Open the function (3 nodes)' }).click();
    await page.getByText('example.org.Scaled').waitFor();
    await page.getByRole('button', { name: 'Dark' }).click();
    await expectAccessible(page, 'graph of a function, dark');
    await page.getByRole('navigation', { name: 'Graphs' }).getByText('branching').click();
    await page.getByText('5 nodes, inputs and outputs').waitFor();

    await open('pictures', 'compare');
    const areas = page.getByRole('group', { name: 'Areas' });
    await areas.getByRole('button', { name: 'Graph 5 added, 1 changed' }).waitFor();
    await page.getByRole('cell', { name: 'Conv:block4.conv2' }).waitFor();
    await page.getByRole('button', { name: '1 changed', exact: true }).click();
    await page.getByRole('cell', { name: 'input 1: block5' }).waitFor();
    await areas.getByRole('button', { name: 'Weights 4 added, 10 changed' }).click();
    await page.getByRole('searchbox', { name: 'Search in weights' }).fill('block2');
    expect(await page.getByRole('cell', { name: /^block2\.conv/ }).count()).toBe(2);
    await expectAccessible(page, 'compare, dark');
    await page.getByRole('button', { name: 'Swap' }).click();
    await areas.getByRole('button', { name: 'Graph 5 removed, 1 changed' }).waitFor();
    await page.getByRole('button', { name: 'Light' }).click();
    await expectAccessible(page, 'compare');

    // Many nodes: the last is found and shown.
    await open('mesh', 'graph');
    await page.getByText('12,002 nodes, inputs and outputs').waitFor();
    await search.fill('v11999');
    await search.press('Enter');
    await page.getByText('1 of 2').waitFor();
    expect(window.refusedRequests()).toEqual([]);
  } finally {
    await window.close();
    rmSync(dir, { recursive: true, force: true });
  }
});
