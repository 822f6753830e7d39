import { expect, test, vi } from 'vitest';
import { readDrives, watchMedia, type DriveSystem } from '#domain/media/index.ts';

/** A system that answers from a record of what it was asked. */
function recorded(record: {
  readonly texts?: Readonly<Record<string, string>>;
  readonly links?: Readonly<Record<string, string>>;
  readonly runs?: Readonly<Record<string, string>>;
}): DriveSystem {
  return {
    text: (path) => Promise.resolve(record.texts?.[path.replace(/[^/]+\/\.\.\//, '')]),
    realPath: (path) => Promise.resolve(record.links?.[path]),
    run: (program, args) => Promise.resolve(record.runs?.[[program, ...args].join(' ')]),
  };
}

const usb =
  '/sys/devices/pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.0/host6/target6:0:0/6:0:0:0/block/sdb';
const card = '/sys/devices/platform/mmc_host/mmc0/mmc0:0001/block/mmcblk0';
const disc = '/sys/devices/pci0000:00/0000:00:17.0/ata2/host1/target1:0:0/1:0:0:0/block/sr0';
const fixed = '/sys/devices/pci0000:00/0000:00:1d.0/0000:02:00.0/nvme/nvme0/nvme0n1';

test('on Linux what can be taken out is listed with label, file system and write protection', async () => {
  const drives = await readDrives(
    'linux',
    recorded({
      texts: {
        '/proc/self/mountinfo': [
          '22 28 0:21 / /proc rw,nosuid - proc proc rw',
          '28 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw,errors=remount-ro',
          '95 28 259:1 / /boot/efi rw - vfat /dev/nvme0n1p1 rw,fmask=0077',
          '402 28 8:17 / /run/media/ada/LABOR\\040S\\303\\234D rw,nosuid,nodev shared:210 - vfat /dev/sdb1 rw,uid=1000',
          '403 28 179:1 / /srv/card ro,relatime - ext4 /dev/mmcblk0p1 rw',
          '404 28 11:0 / /mnt/disc rw - iso9660 /dev/sr0 ro',
          '405 28 0:61 / /media/share rw - cifs //server/share rw',
        ].join('\n'),
        '/run/udev/data/b8:17':
          'S:disk/by-label/LABOR\\x20S\\xc3\\x9cD\nE:ID_BUS=usb\nE:ID_FS_TYPE=vfat\nE:ID_FS_LABEL=LABOR_S_D\nE:ID_FS_LABEL_ENC=LABOR\\x20S\\xc3\\x9cD\n',
        '/run/udev/data/b179:1': 'E:ID_FS_TYPE=ext4\n',
        [`${disc}/removable`]: '1\n',
        [`${disc}/ro`]: '0\n',
        [`${fixed}/removable`]: '0\n',
      },
      links: {
        '/sys/dev/block/259:2': `${fixed}/nvme0n1p2`,
        '/sys/dev/block/259:1': `${fixed}/nvme0n1p1`,
        '/sys/dev/block/8:17': `${usb}/sdb1`,
        '/sys/dev/block/179:1': `${card}/mmcblk0p1`,
        '/sys/dev/block/11:0': disc,
      },
    }),
  );
  expect(drives).toEqual([
    { path: '/run/media/ada/LABOR SÜD', label: 'LABOR SÜD', fileSystem: 'vfat', readOnly: false },
    { path: '/srv/card', label: undefined, fileSystem: 'ext4', readOnly: true },
    { path: '/mnt/disc', label: 'disc', fileSystem: 'iso9660', readOnly: true },
    { path: '/media/share', label: 'share', fileSystem: 'cifs', readOnly: false },
  ]);
});

test('on Windows sticks, discs and fixed disks on USB are listed, and empty card readers are not', async () => {
  const asked: string[] = [];
  const answering = (output: string): DriveSystem => ({
    ...recorded({}),
    run: (program, args) => {
      asked.push([program, ...args].join(' '));
      return Promise.resolve(output);
    },
  });
  const disk = (DeviceID: string, DriveType: number, more = {}) => ({
    DeviceID,
    VolumeName: '',
    FileSystem: 'NTFS',
    DriveType,
    Usb: false,
    ReadOnly: false,
    ...more,
  });
  const all = [
    disk('C:', 3, { VolumeName: 'Windows' }),
    disk('D:', 5, { VolumeName: 'MODELS_2026', FileSystem: 'CDFS' }),
    disk('E:', 2, { VolumeName: 'LAB', FileSystem: 'FAT32' }),
    disk('F:', 3, { FileSystem: 'exFAT', Usb: true, ReadOnly: true }),
    disk('G:', 2, { FileSystem: null, VolumeName: null }),
    disk('Z:', 4, { VolumeName: 'Share' }),
  ];
  expect(await readDrives('win32', answering(`\uFEFF${JSON.stringify(all)}\r\n`))).toEqual([
    { path: 'D:\\', label: 'MODELS_2026', fileSystem: 'cdfs', readOnly: true },
    { path: 'E:\\', label: 'LAB', fileSystem: 'fat32', readOnly: false },
    { path: 'F:\\', label: undefined, fileSystem: 'exfat', readOnly: true },
  ]);
  expect(asked[0]).toContain('OutputEncoding = [System.Text.Encoding]::UTF8');
  expect(asked[0]).toMatch(/^powershell\.exe -NoProfile -NonInteractive -Command /);
  expect(await readDrives('win32', answering(JSON.stringify(all[2])))).toHaveLength(1);
  for (const output of ['', 'Access denied', '[{"DeviceID":"C:\\\\..\\\\x"}]'])
    expect(await readDrives('win32', answering(output))).toEqual([]);
});

test('on macOS external volumes are listed, and the ones inside are not', async () => {
  const plist = (body: string) =>
    `<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">\n<plist version="1.0">\n${body}\n</plist>\n`;
  const volumeInfo = (rows: Readonly<Record<string, string | boolean>>) =>
    plist(
      `<dict>\n${Object.entries(rows)
        .map(
          ([key, value]) =>
            `\t<key>${key}</key>\n\t${typeof value === 'string' ? `<string>${value}</string>` : `<${value}/>`}`,
        )
        .join('\n')}\n\t<key>TotalSize</key>\n\t<integer>15931539456</integer>\n</dict>`,
    );
  const list = plist(`<dict>
	<key>AllDisks</key>
	<array><string>disk0</string><string>disk4</string><string>disk4s1</string></array>
	<key>AllDisksAndPartitions</key>
	<array>
		<dict>
			<key>APFSVolumes</key>
			<array>
				<dict>
					<key>DeviceIdentifier</key><string>disk3s5</string>
					<key>MountPoint</key><string>/Volumes/Macintosh HD</string>
				</dict>
			</array>
			<key>DeviceIdentifier</key><string>disk3</string>
			<key>OSInternal</key><false/>
		</dict>
		<dict>
			<key>Content</key><string>FDisk_partition_scheme</string>
			<key>DeviceIdentifier</key><string>disk4</string>
			<key>Partitions</key>
			<array>
				<dict>
					<key>DeviceIdentifier</key><string>disk4s1</string>
					<key>MountPoint</key><string>/Volumes/R&amp;D</string>
					<key>Size</key><integer>15931539456</integer>
				</dict>
			</array>
		</dict>
		<dict>
			<key>DeviceIdentifier</key><string>disk5</string>
			<key>MountPoint</key><string>/Volumes/MODELS</string>
		</dict>
	</array>
	<key>WholeDisks</key><array/>
</dict>`);
  const drives = await readDrives(
    'darwin',
    recorded({
      runs: {
        '/usr/sbin/diskutil list -plist': list,
        '/usr/sbin/diskutil info -plist disk3s5': volumeInfo({
          MountPoint: '/Volumes/Macintosh HD',
          Internal: true,
          RemovableMediaOrExternalDevice: false,
          WritableVolume: true,
        }),
        '/usr/sbin/diskutil info -plist disk4s1': volumeInfo({
          MountPoint: '/Volumes/R&amp;D',
          VolumeName: 'R&amp;D',
          FilesystemType: 'exfat',
          Internal: false,
          RemovableMediaOrExternalDevice: true,
          WritableVolume: true,
        }),
        '/usr/sbin/diskutil info -plist disk5': volumeInfo({
          MountPoint: '/Volumes/MODELS',
          VolumeName: 'MODELS',
          FilesystemType: 'cd9660',
          Internal: false,
          WritableVolume: false,
        }),
      },
    }),
  );
  expect(drives).toEqual([
    { path: '/Volumes/R&D', label: 'R&D', fileSystem: 'exfat', readOnly: false },
    { path: '/Volumes/MODELS', label: 'MODELS', fileSystem: 'cd9660', readOnly: true },
  ]);
  for (const output of ['', 'no plist', plist('<dict><key>x</key>'), plist('<data>AA</data>')])
    expect(
      await readDrives('darwin', recorded({ runs: { '/usr/sbin/diskutil list -plist': output } })),
    ).toEqual([]);
});

test('on macOS partitions that are not mounted, or only look removable, are passed over', async () => {
  // As recorded outputs have it: an empty mount point, a mounted root, and an inner EFI partition that calls itself removable.
  const header =
    '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">\n<plist version="1.0">';
  const partition = (id: string, mountPoint?: string) =>
    `\n<dict>\n\t<key>Content</key>\n\t<string>EFI</string>\n\t<key>DeviceIdentifier</key>\n\t<string>${id}</string>${mountPoint === undefined ? '' : `\n\t<key>MountPoint</key>\n\t<string>${mountPoint}</string>`}\n\t<key>Size</key>\n\t<integer>209715200</integer>\n</dict>`;
  const list = `${header}\n<dict>\n<key>AllDisksAndPartitions</key>\n<array>\n<dict>\n<key>DeviceIdentifier</key>\n<string>disk0</string>\n<key>OSInternal</key>\n<false/>\n<key>Partitions</key>\n<array>${partition('disk0s1', '/Volumes/EFI')}${partition('disk0s2', '/')}${partition('disk0s3')}${partition('disk2s1', '/Volumes/CARD')}</array>\n</dict>\n</array>\n<key>VolumesFromDisks</key>\n<array/>\n</dict>\n</plist>`;
  const said = (mountPoint: string, isRemovable: boolean) =>
    `${header}\n<dict>\n<key>Ejectable</key>\n<false/>\n<key>FreeSpace</key>\n<integer>0</integer>\n<key>Internal</key>\n<true/>\n<key>MountPoint</key>\n<string>${mountPoint}</string>\n<key>Removable</key>\n<true/>\n<key>RemovableMedia</key>\n<true/>\n<key>RemovableMediaOrExternalDevice</key>\n<${isRemovable}/>\n<key>TotalSize</key>\n<integer>650002432000000000000</integer>\n<key>VolumeName</key>\n<string></string>\n<key>WritableVolume</key>\n<false/>\n</dict>\n</plist>`;
  const runs = (mountPoint: string) => ({
    '/usr/sbin/diskutil list -plist': list,
    '/usr/sbin/diskutil info -plist disk0s1': said('/Volumes/EFI', false),
    // A card in the reader of the machine is inside, and can be taken out.
    '/usr/sbin/diskutil info -plist disk2s1': said(mountPoint, true),
  });
  expect(await readDrives('darwin', recorded({ runs: runs('/Volumes/CARD') }))).toEqual([
    { path: '/Volumes/CARD', label: undefined, fileSystem: undefined, readOnly: true },
  ]);
  // Taken out between the two questions.
  expect(await readDrives('darwin', recorded({ runs: runs('') }))).toEqual([]);
});

test('a drive that comes or goes is told once each, and what was there at the start is not', async () => {
  vi.useFakeTimers();
  try {
    let table = 'a';
    let told = 0;
    const watch = watchMedia(
      () => (told += 1),
      () => Promise.resolve(table),
    );
    const seen: number[] = [];
    for (const next of ['a', 'a b', 'a b', 'a']) {
      table = next;
      await vi.advanceTimersByTimeAsync(2000);
      seen.push(told);
    }
    watch.stop();
    table = 'gone';
    await vi.advanceTimersByTimeAsync(5000);
    expect([...seen, told]).toEqual([0, 1, 1, 2, 2]);
  } finally {
    vi.useRealTimers();
  }
});
