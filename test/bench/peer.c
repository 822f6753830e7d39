/*
 * ONNX Runtime by its C API, without its header: what the benchmark needs of the table of functions, by position. Positions are
 * those of onnxruntime_c_api.h (struct OrtApi, which only grows), API version 23. As a program it scores numbers that lie in
 * memory; as a library it is what a Python stack would have of the runtime.
 *
 *   gcc -O2 -o loop peer.c -ldl            ./loop LIBRARY MODEL TYPE WIDTH BATCH ROWS THREADS   prints seconds
 *   gcc -O2 -shared -fPIC -o peer.so peer.c -ldl
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct { const void *const *(*GetApi)(uint32_t); const char *(*GetVersionString)(void); } ApiBase;
typedef void *Status;
enum {
  getErrorMessage = 2, createEnv = 3, createSession = 7, run = 9, createSessionOptions = 10, setOptimization = 23,
  setIntraOpThreads = 24, createTensor = 49, getTensorData = 51, createCpuMemory = 69, releaseStatus = 93, releaseValue = 96,
  addConfigEntry = 130
};
static const void *const *api;
static void *session, *memory;

static void check(Status status) {
  if (status == NULL) return;
  fprintf(stderr, "%s\n", ((const char *(*)(Status))api[getErrorMessage])(status));
  exit(1);
}

void open_model(const char *library, const char *model, int threads) {
  void *handle = dlopen(library, RTLD_NOW);
  if (handle == NULL) { fprintf(stderr, "%s\n", dlerror()); exit(1); }
  const ApiBase *(*base)(void) = (const ApiBase *(*)(void))dlsym(handle, "OrtGetApiBase");
  api = base()->GetApi(23);
  void *env, *options;
  check(((Status(*)(int, const char *, void **))api[createEnv])(4, "bench", &env));
  check(((Status(*)(void **))api[createSessionOptions])(&options));
  check(((Status(*)(void *, int))api[setIntraOpThreads])(options, threads));
  check(((Status(*)(void *, int))api[setOptimization])(options, 99));
  check(((Status(*)(void *, const char *, const char *))api[addConfigEntry])(options, "session.intra_op.allow_spinning", "0"));
  check(((Status(*)(void *, const char *, void *, void **))api[createSession])(env, model, options, &session));
  check(((Status(*)(int, int, void **))api[createCpuMemory])(0, 0, &memory));
}

/* TYPE is ONNXTensorElementDataType: 1 float, 7 int64. Input `x`, output `y` of one float per row. */
void score(const void *data, int type, int64_t rows, int64_t width, float *out) {
  const int64_t shape[2] = {rows, width};
  const size_t bytes = (size_t)(rows * width) * (type == 7 ? 8 : 4);
  void *input, *output = NULL, *result;
  check(((Status(*)(void *, const void *, size_t, const int64_t *, size_t, int, void **))api[createTensor])(memory, data, bytes, shape, 2, type, &input));
  const char *in[1] = {"x"}, *names[1] = {"y"};
  check(((Status(*)(void *, const void *, const char *const *, const void *const *, size_t, const char *const *, size_t, void **))api[run])(
      session, NULL, in, (const void *const *)&input, 1, names, 1, &output));
  check(((Status(*)(void *, void **))api[getTensorData])(output, &result));
  memcpy(out, result, (size_t)rows * 4);
  ((void (*)(void *))api[releaseValue])(output);
  ((void (*)(void *))api[releaseValue])(input);
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

static uint32_t seed = 12345;
static double random_number(void) {
  seed = seed * 1664525u + 1013904223u;
  return seed / 4294967296.0;
}

int main(int argc, char **argv) {
  if (argc != 8) return 2;
  const int type = atoi(argv[3]), threads = atoi(argv[7]);
  const int64_t width = atoll(argv[4]), batch = atoll(argv[5]), rows = atoll(argv[6]);
  open_model(argv[1], argv[2], threads);
  /* Other numbers in each batch of a few: a tree that sees the same rows again guesses its branches right. */
  const int64_t blocks = 16;
  float *numbers = malloc((size_t)(blocks * batch * width) * 4);
  int64_t *ids = malloc((size_t)(blocks * batch * width) * 8);
  for (int64_t at = 0; at < blocks * batch * width; at += 1) {
    numbers[at] = (float)((random_number() - 0.5) * 6);
    ids[at] = (int64_t)(random_number() * 1000);
  }
  float *out = malloc((size_t)batch * 4);
  const void *data = type == 7 ? (const void *)ids : (const void *)numbers;
  const size_t block = (size_t)(batch * width) * (type == 7 ? 8 : 4);
  score(data, type, batch, width, out);
  const double started = now();
  int64_t done = 0;
  for (int64_t at = 0; done < rows; at += 1, done += batch)
    score((const char *)data + (size_t)(at % blocks) * block, type, batch, width, out);
  printf("%.6f\n", (now() - started) * (double)rows / (double)done);
  return 0;
}
