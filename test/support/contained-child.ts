/** A contained child that tells what it is: the kernel's word on its privileges, and what it can write into its folder. */
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hasMemoryFolder } from '#platform/containment.ts';
import { holdReadOnly } from '#platform/read-only-files.ts';

holdReadOnly();

const status = readFileSync('/proc/self/status', 'utf8');
const field = (name: string): string =>
  new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(status)?.[1] ?? '';

function writes(file: URL | string, flags = 'r+'): string {
  try {
    closeSync(openSync(file, flags));
    return 'written';
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'failed';
  }
}

function reads(path: string): string {
  try {
    readFileSync(path);
    return 'read';
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'failed';
  }
}

function writeMebibytes(count: number): string {
  try {
    writeFileSync(`file-${count}`, Buffer.alloc(count * 2 ** 20));
    return 'written';
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'failed';
  }
}

function signals(pid: number): string {
  try {
    process.kill(pid, 0);
    return 'may';
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'failed';
  }
}

const [, , ofTheUser = '', shown = '', core = ''] = process.argv;
process.send?.({
  inMemory: await hasMemoryFolder(),
  capabilities: [field('CapPrm'), field('CapEff'), field('CapBnd')],
  noNewPrivileges: field('NoNewPrivs'),
  coreBytes: /^Max core file size\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1],
  networks: readFileSync('/proc/net/dev', 'utf8')
    .match(/^\s*\w+:/gm)
    ?.map((name) => name.trim()),
  seen: readdirSync('/').sort(),
  ofTheUser: existsSync(ofTheUser),
  handedOver: [readFileSync(4, 'utf8'), writes('/proc/self/fd/4'), writes('/proc/self/fd/5')],
  shown: reads(`${shown}/row.txt`),
  besideShown: readdirSync(`${shown}/..`),
  throughLink: reads(`${shown}/link.txt`),
  intoShown: writes(`${shown}/new.txt`, 'w'),
  intoMount: writes(`${shown}/a mount 100%/new.txt`, 'w'),
  program: writes(new URL('../../package.json', import.meta.url)),
  environmentOfParent: reads(`/proc/${process.ppid}/environ`),
  processes: readdirSync('/proc').filter((name) => /^\d+$/.test(name)),
  own: process.pid,
  signalsCore: signals(Number(core)),
  commandOfCore: reads(`/proc/${core}/cmdline`),
  setting: writes('/proc/sys/kernel/core_pattern'),
  diesFirst: readFileSync('/proc/self/oom_score_adj', 'utf8').trim(),
  newNamespace: spawnSync('/usr/bin/unshare', ['--user', 'true']).status,
  small: writeMebibytes(2),
  large: writeMebibytes(8),
});
