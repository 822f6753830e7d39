/** The package ships types that its `exports` hide; it keeps better-sqlite3's interface. */
declare module 'better-sqlite3-multiple-ciphers' {
  import Database from 'better-sqlite3';
  export default Database;
}
