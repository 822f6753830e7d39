/** macOS: `diskutil list -plist` names the mounted volumes, `diskutil info -plist` says of each what it is. */
import { z } from 'zod';
import type { Drive, DriveSystem } from './drive.ts';
import { parsePlist } from './plist.ts';

const diskutil = '/usr/sbin/diskutil';
const maxVolumes = 32;

const volume = z.object({
  DeviceIdentifier: z.string().regex(/^disk[0-9s]+$/),
  MountPoint: z.string().optional(),
});
const disks = z.object({
  AllDisksAndPartitions: z.array(
    z.object({
      ...volume.shape,
      Partitions: z.array(volume).optional(),
      APFSVolumes: z.array(volume).optional(),
    }),
  ),
});
const info = z.object({
  MountPoint: z.string().min(1),
  VolumeName: z.string().optional(),
  FilesystemType: z.string().optional(),
  WritableVolume: z.boolean().optional(),
  Internal: z.boolean().optional(),
  RemovableMediaOrExternalDevice: z.boolean().optional(),
});

export async function macosDrives(system: DriveSystem): Promise<Drive[]> {
  const listed = disks.safeParse(
    parsePlist((await system.run(diskutil, ['list', '-plist'])) ?? ''),
  ).data;
  const mounted = (listed?.AllDisksAndPartitions ?? [])
    .flatMap((disk) => [disk, ...(disk.Partitions ?? []), ...(disk.APFSVolumes ?? [])])
    .filter(({ MountPoint }) => MountPoint?.startsWith('/Volumes/') === true)
    .slice(0, maxVolumes);
  const drives = await Promise.all(
    mounted.map(async ({ DeviceIdentifier }): Promise<Drive | undefined> => {
      const output = await system.run(diskutil, ['info', '-plist', DeviceIdentifier]);
      const said = info.safeParse(parsePlist(output ?? '')).data;
      if (said === undefined) return undefined;
      if (!(said.RemovableMediaOrExternalDevice ?? said.Internal === false)) return undefined;
      return {
        path: said.MountPoint,
        label: said.VolumeName === '' ? undefined : said.VolumeName,
        fileSystem: said.FilesystemType,
        readOnly: said.WritableVolume === false,
      };
    }),
  );
  return drives.filter((drive) => drive !== undefined);
}
