/**
 * Windows: the logical disks (Win32_LogicalDisk) that are removable or compact discs, and the partitions of every disk on USB,
 * which Windows itself calls fixed. One PowerShell command with fixed text and no input gives both as JSON.
 */
import { z } from 'zod';
import type { Drive, DriveSystem } from './drive.ts';

const powershell = 'powershell.exe';
const script = [
  // Else labels come in the code page of the console.
  '[Console]::OutputEncoding = [System.Text.Encoding]::UTF8',
  "$usb = @(Get-Disk -ErrorAction SilentlyContinue | Where-Object { $_.BusType -in 'USB','SD','MMC' } | ForEach-Object { $ro = $_.IsReadOnly; $_ | Get-Partition -ErrorAction SilentlyContinue | Where-Object DriveLetter | ForEach-Object { @{ Letter = \"$($_.DriveLetter):\"; ReadOnly = ($ro -or $_.IsReadOnly) } } })",
  '$all = @(Get-CimInstance Win32_LogicalDisk | ForEach-Object { $id = $_.DeviceID; $hit = $usb | Where-Object { $_.Letter -eq $id } | Select-Object -First 1; @{ DeviceID = $id; VolumeName = $_.VolumeName; FileSystem = $_.FileSystem; DriveType = [int]$_.DriveType; Usb = ($null -ne $hit); ReadOnly = [bool]($hit -and $hit.ReadOnly) } })',
  'ConvertTo-Json -Compress -InputObject $all',
].join('; ');

const logicalDisk = z.object({
  DeviceID: z.string().regex(/^[A-Z]:$/),
  VolumeName: z.string().nullish(),
  /** Null when there is no medium in the drive. */
  FileSystem: z.string().nullish(),
  DriveType: z.int(),
  Usb: z.boolean(),
  ReadOnly: z.boolean(),
});
/** Windows PowerShell 5 writes a list of one as its only element. */
const logicalDisks = z
  .union([z.array(logicalDisk).max(26), logicalDisk])
  .transform((disks) => (Array.isArray(disks) ? disks : [disks]));

const removableType = 2;
const compactDiscType = 5;

export async function windowsDrives(system: DriveSystem): Promise<Drive[]> {
  const output = await system.run(powershell, [
    '-NoProfile',
    '-NonInteractive',
    '-Command',
    script,
  ]);
  const disks = logicalDisks.safeParse(jsonOf(output ?? ''));
  return (disks.data ?? [])
    .filter(
      ({ DriveType, Usb, FileSystem }) =>
        (Usb || DriveType === removableType || DriveType === compactDiscType) &&
        (FileSystem ?? '') !== '',
    )
    .map(({ DeviceID, VolumeName, FileSystem, DriveType, ReadOnly }) => ({
      path: `${DeviceID}\\`,
      label: (VolumeName ?? '') === '' ? undefined : (VolumeName ?? undefined),
      fileSystem: FileSystem?.toLowerCase(),
      readOnly: ReadOnly || DriveType === compactDiscType,
    }));
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    return undefined;
  }
}
