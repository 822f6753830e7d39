/** Entry of an outlining process. The core starts it; it is of no use by hand. */
import { outlineStdin } from '#domain/graph/child.ts';

outlineStdin(process.argv[2]);
