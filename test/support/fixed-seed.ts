/** Properties try the same cases in every run: a change fails by what it changes, not by chance. `STRONGROOM_TEST_SEED` tries others. */
import fc from 'fast-check';

fc.configureGlobal({ seed: Number(process.env['STRONGROOM_TEST_SEED'] ?? 1) });
