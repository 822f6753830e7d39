/**
 * The first script of a fresh clone, in plain JavaScript for Node 20 or newer: installs the packages if they are missing, finds
 * something to show the window with, builds, and hands over to the pinned Node. `node electron/bootstrap.mjs TASK [ARGS]`.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { constants as system } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const pinnedNode = join(
  root,
  'node_modules',
  'node',
  'bin',
  process.platform === 'win32' ? 'node.exe' : 'node',
);
const modules = join(root, 'node_modules');
const installedMark = join(modules, '.strongroom-lock');
const electronMark = join(modules, '.strongroom-no-electron');
const builtMark = join(root, '.build', 'sources');
const childrenBundle = join(root, '.build', 'children');
const electronMain = join(root, '.build', 'electron', 'main.mjs');

const [task = 'start', ...args] = process.argv.slice(2);
/** Where the caller stands; npm runs scripts in the folder of the package. */
const callerDir = process.env.INIT_CWD ?? process.cwd();

try {
  if (Number(process.versions.node.split('.')[0]) < 20)
    stop(`Node 20 or newer is needed; this is ${process.versions.node}.`);
  process.chdir(root);
  installPackages();
  bundleChildren();
  await run(task);
} catch (error) {
  if (error?.code === 'EACCES' || error?.code === 'EROFS')
    stop(`The folder ${root} cannot be written. Clone it to a folder of your own.`);
  stop(error instanceof Error ? error.message : String(error));
}

async function run(name) {
  switch (name) {
    case 'test': {
      // The end-to-end specs run on every host that is there.
      const electron = hasDisplay() ? electronRuntime() : undefined;
      if (electron === undefined) requireBrowser();
      else buildElectron();
      buildWindow();
      say(
        electron === undefined
          ? "The end-to-end specs run in the system's browser only: Electron's runtime or a display is missing."
          : 'The end-to-end specs run in Electron too.',
      );
      return handOver(pinnedNode, ['test/support/run-tests.ts', ...args]);
    }
    case 'build':
      buildWindow();
      buildElectron();
      return;
    case 'start': {
      buildWindow();
      const electron = electronRuntime();
      if (electron !== undefined) {
        buildElectron();
        say('Opening in Electron.');
        return handOver(electron, [electronMain, ...args]);
      }
      requireBrowser();
      say(
        "Electron's runtime is not installed; opening the same application in the system's browser.",
      );
      return handOver(pinnedNode, ['electron/chromium.ts', ...args]);
    }
    case 'quickstart': {
      buildWindow();
      const electron = hasDisplay() ? electronRuntime() : undefined;
      if (electron === undefined) {
        requireBrowser();
        return handOver(pinnedNode, ['electron/quickstart.ts', ...args]);
      }
      buildElectron();
      return handOver(pinnedNode, ['electron/quickstart.ts', '--electron', electron, ...args]);
    }
    case 'strongroom':
      return handOver(
        pinnedNode,
        ['--disable-sigusr1', join(root, 'electron/cli.ts'), ...args],
        callerDir,
      );
    case 'fuzz':
      return handOver(pinnedNode, ['--max-old-space-size=256', 'test/fuzz/fuzz.ts', ...args]);
    case 'bench':
      return handOver(pinnedNode, ['test/bench/bench.ts', ...args]);
    case 'bench:run':
      return handOver(pinnedNode, ['test/bench/run.ts', ...args]);
    case 'bench:window':
      requireBrowser();
      buildWindow();
      return handOver(pinnedNode, ['test/bench/window.ts', ...args]);
    case 'bench:vault':
      return handOver(pinnedNode, ['test/bench/vault.ts', ...args]);
    case 'conformance':
      return handOver(pinnedNode, ['test/conformance/conformance.ts', ...args]);
    case 'faults':
      return handOver(pinnedNode, ['test/faults/faults.ts', ...args]);
    default:
      stop(
        `There is no task "${name}". Tasks: quickstart, start, test, build, strongroom, bench, bench:run, bench:vault, bench:window, fuzz, faults, conformance.`,
      );
  }
}

/** Whether a window can be shown; only Linux runs without a desktop. */
function hasDisplay() {
  return (
    process.platform !== 'linux' ||
    (process.env.DISPLAY ?? '') !== '' ||
    (process.env.WAYLAND_DISPLAY ?? '') !== ''
  );
}

/** `npm ci` when there are no packages, or other ones than the lock file names. */
function installPackages() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (
    existsSync(pinnedNode) &&
    existsSync(installedMark) &&
    readFileSync(installedMark, 'utf8') === lock
  )
    return;
  if (existsSync(pinnedNode) && !existsSync(installedMark) && isInstalled()) {
    writeFileSync(installedMark, lock);
    return;
  }
  say('Installing the packages (once).');
  // No script of a package may run but the one that brings the pinned Node; older versions of npm know no such list.
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  for (const command of [
    ['ci', '--ignore-scripts', ...quiet],
    ['rebuild', 'node', ...quiet],
  ]) {
    const result = spawnSync(process.platform === 'win32' ? 'npm.cmd' : 'npm', command, {
      // What the command line prints is for whoever called it.
      stdio: ['inherit', 2, 2],
      shell: process.platform === 'win32',
    });
    if (result.status !== 0)
      stop(
        'The packages could not be installed; what npm says stands above. Is the registry (or a mirror of it) within reach?',
      );
  }
  writeFileSync(installedMark, lock);
}

/** Whether npm's own record of what it installed is as new as the lock file. */
function isInstalled() {
  const record = join(modules, '.package-lock.json');
  return (
    existsSync(record) &&
    statSync(record).mtimeMs >= statSync(join(root, 'package-lock.json')).mtimeMs
  );
}

/** Path of Electron's binary, downloaded once if that is possible; a failed download is remembered and never an error. */
function electronRuntime() {
  const folder = join(modules, 'electron');
  const found = () => {
    const name = join(folder, 'path.txt');
    return existsSync(name) ? join(folder, 'dist', readFileSync(name, 'utf8').trim()) : undefined;
  };
  const wanted = (process.env.STRONGROOM_NO_ELECTRON ?? '') === '';
  if (!wanted) return undefined;
  if (found() !== undefined || existsSync(electronMark) || !existsSync(join(folder, 'install.js')))
    return found();
  say("Trying to download Electron's runtime (once).");
  const result = spawnSync(pinnedNode, [join(folder, 'install.js')], {
    stdio: 'ignore',
    timeout: 120_000,
  });
  if (result.status !== 0 || found() === undefined) {
    try {
      writeFileSync(electronMark, 'not to be had');
    } catch {
      // Somebody else's folder: it is tried again next time.
    }
  }
  return found();
}

function requireBrowser() {
  if (findBrowser() !== undefined) return;
  if (
    process.platform === 'linux' &&
    process.getuid?.() === 0 &&
    existsSync('/etc/debian_version')
  ) {
    say('No browser found; installing Chromium with apt-get.');
    const quiet = { stdio: 'inherit', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };
    spawnSync('apt-get', ['update', '-qq'], quiet);
    spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium'], quiet);
    if (findBrowser() !== undefined) return;
  }
  stop(
    'No Chromium, Chrome or Edge was found. Install one (on Debian: apt-get install chromium) or set STRONGROOM_BROWSER to its path.',
  );
}

/** The same names as in `electron/chromium/browser.ts`, which needs packages to be read; here it is enough to know that one is there. */
function findBrowser() {
  const names = [
    'chromium',
    'chromium-browser',
    'google-chrome',
    'google-chrome-stable',
    'microsoft-edge',
    'microsoft-edge-stable',
    'brave-browser',
  ];
  const onPath = (process.env.PATH ?? '')
    .split(delimiter)
    .flatMap((folder) => names.map((name) => join(folder, name)));
  const elsewhere =
    process.platform === 'darwin'
      ? [
          '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
          '/Applications/Chromium.app/Contents/MacOS/Chromium',
          '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge',
        ]
      : ['ProgramFiles', 'ProgramFiles(x86)', 'LOCALAPPDATA'].flatMap((variable) =>
          [
            'Google\\Chrome\\Application\\chrome.exe',
            'Microsoft\\Edge\\Application\\msedge.exe',
          ].map((path) => join(process.env[variable] ?? '', path)),
        );
  return [process.env.STRONGROOM_BROWSER, ...onPath, ...elsewhere].find((path) => {
    try {
      accessSync(path ?? '', constants.X_OK);
      return path !== undefined && path !== '';
    } catch {
      return false;
    }
  });
}

/** Builds the window when a source is newer than the last build. */
function buildWindow() {
  const sources = fingerprint(['renderer', 'shared', 'package-lock.json']);
  if (
    existsSync(join(root, '.build', 'renderer', 'index.html')) &&
    existsSync(builtMark) &&
    readFileSync(builtMark, 'utf8') === sources
  )
    return;
  say('Building the window.');
  if (
    node([
      'node_modules/vite/bin/vite.js',
      'build',
      '--config',
      'renderer/vite.config.ts',
      '--logLevel',
      'warn',
    ]) !== 0
  )
    stop('The window could not be built.');
  mkdirSync(dirname(builtMark), { recursive: true });
  writeFileSync(builtMark, sources);
}

function buildElectron() {
  for (const mode of ['main', 'preload'])
    if (buildMode(mode) !== 0) stop('The Electron host could not be built.');
}

/**
 * Bundles what the contained children run, when a source is newer. They run from source where that fails, and start more slowly:
 * it is no error.
 */
function bundleChildren() {
  const mark = join(childrenBundle, 'made-of');
  const sources = fingerprint(['electron', 'shared', 'package-lock.json']);
  if (existsSync(mark) && readFileSync(mark, 'utf8') === sources) return;
  // Made aside, so that whoever looks meanwhile finds all of the old one, none, or all of the new one.
  const made = `${childrenBundle}.${process.pid}`;
  try {
    mkdirSync(dirname(childrenBundle), { recursive: true });
    accessSync(dirname(childrenBundle), constants.W_OK);
    if (buildMode('children', '--outDir', made) !== 0) return;
    writeFileSync(join(made, 'made-of'), sources);
    if (existsSync(childrenBundle)) renameSync(childrenBundle, `${made}.old`);
    renameSync(made, childrenBundle);
  } catch {
    // The folder is somebody else's, or another start was faster.
  } finally {
    for (const left of [made, `${made}.old`]) rmSync(left, { recursive: true, force: true });
  }
}

function buildMode(mode, ...options) {
  return node([
    'node_modules/vite/bin/vite.js',
    'build',
    '--config',
    'electron/vite.config.ts',
    '--mode',
    mode,
    '--logLevel',
    'warn',
    ...options,
  ]);
}

function fingerprint(paths) {
  const hash = createHash('sha256');
  const visit = (path) => {
    if (statSync(path).isDirectory())
      for (const name of readdirSync(path).sort()) visit(join(path, name));
    else hash.update(path).update(readFileSync(path));
  };
  for (const path of paths) visit(path);
  return hash.digest('hex');
}

function environment() {
  const path = `${dirname(pinnedNode)}${delimiter}${process.env.PATH ?? ''}`;
  return { ...process.env, PATH: path };
}

/** Runs a script on the pinned Node, which also comes first in its PATH, and waits. */
function node(script) {
  const result = spawnSync(pinnedNode, script, { stdio: ['inherit', 2, 2], env: environment() });
  return result.status ?? 1;
}

/** The last act of this script: the command takes the terminal, and its signals are its own to answer. */
function handOver(command, commandArgs, cwd = root) {
  // Where there is a shell to say so, no memory in a core dump: keys and passwords are in it.
  const [file, ...rest] =
    process.platform === 'win32'
      ? [command, ...commandArgs]
      : ['/bin/sh', '-c', 'ulimit -c 0; exec "$@"', 'sh', command, ...commandArgs];
  const child = spawn(file, rest, { stdio: 'inherit', env: environment(), cwd });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => {
      // The terminal has told the child already; a signal to this process alone is passed on.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  return new Promise((resolve) => {
    child.once('error', (error) => stop(error.message));
    child.once('exit', (code, signal) => {
      // As a shell tells it: 1 would be an answer.
      if (signal !== null) say(`strongroom: ended by ${signal}.`);
      process.exitCode = code ?? 128 + system.signals[signal];
      resolve();
    });
  });
}

function say(text) {
  process.stderr.write(`${text}\n`);
}

function stop(text) {
  process.stderr.write(`strongroom: ${text}\n`);
  process.exit(1);
}
