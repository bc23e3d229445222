private import CHeap

/// What is allocated on the heap of this process, in bytes.
package func heapInUse() -> Int { Int(heap_in_use()) }
