// @ts-check
/**
 * onnxruntime's builds for Node write a device id into the user's cache folder and send usage reports.
 * Whoever wants that sets the variable to 0; it counts only when it is set before the library is loaded.
 */
process.env.ORT_DISABLE_TELEMETRY ??= '1'
