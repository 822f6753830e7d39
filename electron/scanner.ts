/** Entry of a scanner process. The core starts it; it is of no use by hand. */
import { scanStdin } from '#domain/bundle/scan/child.ts';

scanStdin();
