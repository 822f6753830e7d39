/** A mounted medium that somebody can take out, as this system's own tables describe it. */
export interface Drive {
  /** Where its files are. */
  readonly path: string;
  /** The name its owner gave it; undefined if it has none. */
  readonly label: string | undefined;
  /** As the system calls it: `vfat`, `exfat`, `ntfs`, `iso9660`, … */
  readonly fileSystem: string | undefined;
  readonly readOnly: boolean;
}

/** What is asked of the system: the text of a file, the target of a link, or the output of a command. */
export interface DriveSystem {
  /** Undefined if it cannot be read. */
  readonly text: (path: string) => Promise<string | undefined>;
  /** Absolute; undefined if there is nothing. */
  readonly realPath: (path: string) => Promise<string | undefined>;
  /** Standard output of a program with fixed arguments, bounded in time and size; undefined if it fails. */
  readonly run: (program: string, args: readonly string[]) => Promise<string | undefined>;
}
