/** Entry of an inference child. The core starts it; it is of no use by hand. */
import { serveOneJob } from '#domain/inference/child.ts';

serveOneJob();
