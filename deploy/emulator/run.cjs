// Runs Azurite with the arguments given, and ends it when standard input ends.
//
// Whoever starts this holds the other end of standard input. The system closes that end when they
// end, however they end, so Azurite never outlives them: not after a crash, not after SIGKILL.

const GRACE_MS = 2000;

function end() {
  // Azurite listens for this signal once it is up, and writes its data to disk first.
  if (process.listenerCount("SIGTERM") === 0) process.exit(0);
  process.kill(process.pid, "SIGTERM");
  // A request still under way would hold it up. The timer itself must not.
  setTimeout(() => process.exit(0), GRACE_MS).unref();
}

// Whoever started this may be gone: then what Azurite prints last goes nowhere, and must not stop it.
for (const stream of [process.stdin, process.stdout, process.stderr]) stream.on("error", () => {});

process.stdin.once("close", end).resume();
// Reading standard input must not keep Azurite alive once its servers are closed.
process.stdin.unref?.();

require("azurite/dist/src/azurite.js");
