/** What each reason for rejecting a row says to a person. Values never enter a message. */
import type { RejectCode } from './table.ts';

export const rejectMessages: Readonly<Record<RejectCode, string>> = {
  number: 'Not a number.',
  integer: 'Not a whole number.',
  boolean: 'Neither true nor false.',
  missing: 'Empty, null or NaN, and the model needs a value here.',
  range: 'Outside of the range that is allowed here.',
  category: 'Not one of the categories that are allowed here.',
  unit: 'In another unit than the model expects.',
  date: 'Not a date as ISO 8601 writes it.',
  quote: 'A quote stands where none may.',
  fields: 'Not as many fields as the header has.',
  encoding: 'Not valid text in the encoding of the file, or with a NUL byte in it.',
  length: 'Longer than a cell may be.',
  json: 'Not a JSON object of plain values.',
  twice: 'A name stands in the record twice, so its value is not clear.',
  image:
    'Not an image that can be read (JPEG, PNG, WebP, TIFF, GIF, BMP), or larger than an image may be.',
  text: 'Not a text that can be read.',
  file: 'Not a plain file but a link, a folder or a device, which is not opened.',
};
