#include "workers.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>

#if defined(__linux__)
#include <sched.h>
#endif
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace deepwell {
namespace {

constexpr std::chrono::milliseconds between_polls{20};

// Numbers too small for the normal range become 0 on this thread: dead units fade through that
// range, where arithmetic is a hundred times slower.
void flush_subnormals() {
#if defined(__x86_64__)
  constexpr unsigned flush_to_zero = 0x8000, subnormals_are_zero = 0x0040;
  _mm_setcsr(_mm_getcsr() | flush_to_zero | subnormals_are_zero);
#elif defined(__aarch64__)
  std::uint64_t control;
  asm volatile("mrs %0, fpcr" : "=r"(control));
  asm volatile("msr fpcr, %0" : : "r"(control | (1ull << 24)));
#endif
}

}  // namespace

int usable_cores() {
#if defined(__linux__)
  cpu_set_t mine;
  if (sched_getaffinity(0, sizeof(mine), &mine) == 0) return std::max(1, CPU_COUNT(&mine));
#endif
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

void share_out(int count, int threads, std::atomic<bool>& stop,
               const std::function<void(int, int)>& work, const std::function<bool()>& poll) {
  std::mutex mutex;
  std::condition_variable ended;
  std::exception_ptr failure;
  std::atomic<int> next{0};
  const int started = std::min(count, threads);
  int at_work = started;
  const auto worker = [&](int index) {
    flush_subnormals();
    try {
      for (int task = next++; task < count && !stop; task = next++) work(task, index);
    } catch (...) {
      stop = true;
      const std::lock_guard lock(mutex);
      if (!failure) failure = std::current_exception();
    }
    const std::lock_guard lock(mutex);
    --at_work;
    ended.notify_all();
  };
  std::vector<std::thread> pool;
  pool.reserve(static_cast<std::size_t>(started));
  try {
    for (int i = 0; i < started; ++i) pool.emplace_back(worker, i);
    std::unique_lock lock(mutex);
    while (!ended.wait_for(lock, between_polls, [&] { return at_work == 0; })) {
      lock.unlock();
      if (!stop && poll()) stop = true;
      lock.lock();
    }
  } catch (...) {  // from `poll`, or a thread that could not start: the others still end first
    stop = true;
    for (auto& thread : pool) thread.join();
    throw;
  }
  for (auto& thread : pool) thread.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace deepwell
