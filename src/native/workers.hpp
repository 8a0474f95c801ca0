// Threads that share out tasks among the cores.
#pragma once

#include <atomic>
#include <functional>
#include <vector>

namespace deepwell {

// Cores that this process may use.
int usable_cores();

// Runs `work(task, worker)` for tasks 0 to count - 1 on up to `threads` threads, each taking the
// next task as soon as it is free, while the calling thread asks `poll` every 20 ms. When `poll`
// returns true, or throws, `stop` is set; tasks not begun are then left out, and those at work are
// expected to watch it. Threads live for this call only: nothing is left behind to survive a fork.
//
// Throws what `poll` or a task threw, after all threads have ended.
void share_out(int count, int threads, std::atomic<bool>& stop,
               const std::function<void(int task, int worker)>& work,
               const std::function<bool()>& poll);

}  // namespace deepwell
