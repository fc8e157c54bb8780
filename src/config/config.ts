/** The file of settings, as config.schema.json says it. Everything may be left out. */
export interface Config {
  /** A name of `guests`, or an address; a list is a fleet. */
  readonly guest?: string | readonly string[];
  /** A name of `hosts`, or an address. */
  readonly host?: string;
  readonly guests?: Readonly<Record<string, string | GuestSettings>>;
  readonly hosts?: Readonly<Record<string, string>>;
  readonly shares?: Readonly<Record<string, ShareSettings>>;
  readonly modes?: readonly string[];
  readonly limits?: {
    readonly timeoutSeconds?: number;
    readonly jobs?: number;
    readonly guestSeconds?: number;
  };
}

/** A guest of the file. */
export interface GuestSettings {
  readonly address: string;
  readonly host?: string;
  /** Names of `shares`; absent: all. */
  readonly shares?: readonly string[];
}

/** A share of the file. */
export interface ShareSettings {
  readonly guestDir: string;
  readonly hostDir: string;
  readonly mode?: string;
}

/** A file of settings that was found, read and seen to be well. */
export interface LoadedConfig {
  /** Absolute. */
  readonly file: string;
  readonly config: Config;
}
