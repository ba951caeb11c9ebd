/* Runs one ONNX model once: run_onnx LIBRARY MODEL INPUT.f32 OUTPUT_PREFIX
 * Writes every output as raw float32 to OUTPUT_PREFIX.<index>.f32 and prints "name type shape" per input and output.
 * Single float input with a static shape: that is all the converted models have. The library is loaded by name, as the
 * product does, so that the test needs no link-time runtime. */
#include <dlfcn.h>
#include <onnxruntime_c_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const OrtApi *api;

static void check(OrtStatus *status) {
    if (!status) return;
    fprintf(stderr, "run_onnx: %s\n", api->GetErrorMessage(status));
    exit(1);
}

static void fail(const char *what, const char *detail) {
    fprintf(stderr, "run_onnx: %s: %s\n", what, detail);
    exit(1);
}

static size_t describe(const char *role, const char *name, const OrtTensorTypeAndShapeInfo *info, int64_t *shape,
                       size_t *rank) {
    size_t count;
    check(api->GetDimensionsCount(info, rank));
    check(api->GetDimensions(info, shape, *rank));
    check(api->GetTensorShapeElementCount(info, &count));
    printf("%s %s [", role, name);
    for (size_t d = 0; d < *rank; d++) printf("%s%lld", d ? "," : "", (long long)shape[d]);
    printf("]\n");
    return count;
}

int main(int argc, char **argv) {
    if (argc != 5) fail("usage", "run_onnx LIBRARY MODEL INPUT.f32 OUTPUT_PREFIX");
    void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (!library) fail(argv[1], dlerror());
    const OrtApiBase *(*base)(void);
    *(void **)&base = dlsym(library, "OrtGetApiBase");
    if (!base) fail(argv[1], dlerror());
    api = base()->GetApi(ORT_API_VERSION);
    if (!api) fail(argv[1], "the runtime is older than the headers");

    OrtEnv *env;
    OrtSessionOptions *options;
    OrtSession *session;
    OrtAllocator *allocator;
    OrtMemoryInfo *memory;
    check(api->CreateEnv(ORT_LOGGING_LEVEL_ERROR, "run_onnx", &env));
    check(api->CreateSessionOptions(&options));
    check(api->SetIntraOpNumThreads(options, 1));
    check(api->CreateSession(env, argv[2], options, &session));
    check(api->GetAllocatorWithDefaultOptions(&allocator));
    check(api->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &memory));

    int64_t shape[8];
    size_t rank, outputs;
    char *input_name, *output_names[16];
    OrtTypeInfo *type;
    const OrtTensorTypeAndShapeInfo *tensor_info;
    check(api->SessionGetInputName(session, 0, allocator, &input_name));
    check(api->SessionGetInputTypeInfo(session, 0, &type));
    check(api->CastTypeInfoToTensorInfo(type, &tensor_info));
    size_t count = describe("input", input_name, tensor_info, shape, &rank);

    float *data = malloc(count * sizeof *data);
    FILE *file = fopen(argv[3], "rb");
    if (!file || fread(data, sizeof *data, count, file) != count || fgetc(file) != EOF)
        fail(argv[3], "missing, or not the size of the model's input");
    fclose(file);
    OrtValue *input, *results[16] = {0};
    check(api->CreateTensorWithDataAsOrtValue(memory, data, count * sizeof *data, shape, rank,
                                              ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &input));
    check(api->SessionGetOutputCount(session, &outputs));
    if (outputs > 16) fail(argv[2], "more than 16 outputs");
    for (size_t i = 0; i < outputs; i++) check(api->SessionGetOutputName(session, i, allocator, &output_names[i]));

    double best = 1e9; /* the fastest of a few runs: the first one pays for allocation */
    for (int round = 0; round < 10; round++) {
        struct timespec start, end;
        for (size_t i = 0; i < outputs; i++) {
            if (results[i]) api->ReleaseValue(results[i]);
            results[i] = NULL;
        }
        clock_gettime(CLOCK_MONOTONIC, &start);
        check(api->Run(session, NULL, (const char *const *)&input_name, (const OrtValue *const *)&input, 1,
                       (const char *const *)output_names, outputs, results));
        clock_gettime(CLOCK_MONOTONIC, &end);
        double ms = (end.tv_sec - start.tv_sec) * 1e3 + (end.tv_nsec - start.tv_nsec) / 1e6;
        if (ms < best) best = ms;
    }
    for (size_t i = 0; i < outputs; i++) {
        OrtTensorTypeAndShapeInfo *info;
        float *values;
        char path[4096];
        check(api->GetTensorTypeAndShape(results[i], &info));
        count = describe("output", output_names[i], info, shape, &rank);
        check(api->GetTensorMutableData(results[i], (void **)&values));
        snprintf(path, sizeof path, "%s.%zu.f32", argv[4], i);
        file = fopen(path, "wb");
        if (!file || fwrite(values, sizeof *values, count, file) != count || fclose(file)) fail(path, "cannot write");
    }
    printf("milliseconds %.2f\n", best);
    return 0;
}
