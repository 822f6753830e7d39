/** Entry of an inference child. The core starts it; it is of no use by hand. */
import { holdReadOnly } from '#platform/read-only-files.ts';
import { serveOneJob } from '#domain/inference/child.ts';

holdReadOnly();
serveOneJob();
