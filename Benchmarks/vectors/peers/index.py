#!/usr/bin/env python3
"""What Benchmarks/vectors/Bench does, with an index from PyPI: builds it, then answers each line on standard input with an
object of JSON.

    search EF TRUTH          every query once
    select SHARE EF TRUTH    the same, among the keys that a share passes

Usage: index.py hnswlib|faiss-flat|faiss-sq8|usearch-f32|usearch-i8 BASE QUERIES THREADS M EF_CONSTRUCTION
"""
import json, pathlib, sys, time

import numpy

K = 10


def vectors(path):
    words = numpy.memmap(path, dtype=numpy.int32, mode="r")
    return words.reshape(-1, 1 + words[0])[:, 1:].view(numpy.float32)


def truth(path):
    words = numpy.fromfile(path, dtype=numpy.int32)
    return words.reshape(-1, 1 + words[0])[:, 1:]


def passing(count, share):
    return numpy.arange(count, dtype=numpy.uint64) * 2_654_435_761 % 2**32 < share * 2**32


def resident():
    status = dict(line.split(":", 1) for line in pathlib.Path("/proc/self/status").read_text().splitlines())
    return int(status["RssAnon"].split()[0]) * 1024


class Hnswlib:
    def __init__(self, dimension, count, m, ef_construction):
        import hnswlib
        self.index = hnswlib.Index("ip", dimension)
        self.index.init_index(count, M=m, ef_construction=ef_construction)

    def add(self, rows, first, threads):
        self.index.add_items(rows, numpy.arange(first, first + len(rows)), num_threads=threads)

    def search(self, queries, ef, allowed=None):
        self.index.set_ef(ef)
        # A filter that is asked for each node, as hnswlib has it; its answer is incomplete where it finds fewer than k.
        passes = None if allowed is None else allowed.__getitem__
        return self.index.knn_query(queries, K, num_threads=1, filter=passes)[0]


class Faiss:
    def __init__(self, dimension, count, m, ef_construction, is_quantised):
        import faiss
        self.faiss = faiss
        inner = faiss.METRIC_INNER_PRODUCT
        self.index = (faiss.IndexHNSWSQ(dimension, faiss.ScalarQuantizer.QT_8bit, m, inner) if is_quantised
                      else faiss.IndexHNSWFlat(dimension, m, inner))
        self.index.hnsw.efConstruction = ef_construction

    def add(self, rows, first, threads):
        self.faiss.omp_set_num_threads(threads)
        if not self.index.is_trained:
            self.index.train(rows)
        self.index.add(rows)

    def search(self, queries, ef, allowed=None):
        self.faiss.omp_set_num_threads(1)
        selector = None if allowed is None else self.faiss.IDSelectorBatch(numpy.nonzero(allowed)[0])
        parameters = self.faiss.SearchParametersHNSW(efSearch=ef, sel=selector)
        return self.index.search(queries, K, params=parameters)[1]


class Usearch:
    def __init__(self, dimension, count, m, ef_construction, kind):
        import usearch.index
        self.index = usearch.index.Index(ndim=dimension, metric="ip", dtype=kind, connectivity=m, expansion_add=ef_construction)

    def add(self, rows, first, threads):
        self.index.add(numpy.arange(first, first + len(rows)), rows, threads=threads)

    def search(self, queries, ef, allowed=None):
        if allowed is not None:
            raise NotImplementedError("usearch's Python has no filter")
        self.index.expansion_search = ef
        return self.index.search(queries, K, threads=1).keys


KINDS = {
    "hnswlib": Hnswlib,
    "faiss-flat": lambda *shape: Faiss(*shape, False),
    "faiss-sq8": lambda *shape: Faiss(*shape, True),
    "usearch-f32": lambda *shape: Usearch(*shape, "f32"),
    "usearch-i8": lambda *shape: Usearch(*shape, "i8"),
}


def main():
    kind, base, questions, threads, m, ef_construction = sys.argv[1], sys.argv[2], sys.argv[3], *map(int, sys.argv[4:])
    rows, queries = vectors(base), numpy.array(vectors(questions))
    # The code of the libraries is in memory before it is looked at.
    warm = KINDS[kind](rows.shape[1], 100, m, ef_construction)
    warm.add(numpy.array(rows[:100]), 0, 1)
    before = resident()
    start, busy = time.perf_counter(), time.process_time()
    index = KINDS[kind](rows.shape[1], len(rows), m, ef_construction)
    for first in range(0, len(rows), 25_000):
        index.add(numpy.array(rows[first:first + 25_000]), first, threads)
    answer({"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - busy,
            "anonymous_bytes": resident() - before})
    for line in sys.stdin:
        words = line.split()
        allowed = None if words[0] == "search" else passing(len(rows), float(words[1]))
        nearest = truth(words[-1])[:, :K]
        try:
            index.search(queries[:len(queries) // 10], int(words[-2]), allowed)
            start, busy = time.perf_counter(), time.process_time()
            found = index.search(queries, int(words[-2]), allowed)
            seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - busy
        except (NotImplementedError, RuntimeError) as error:
            answer({"error": str(error)})
            continue
        hits = sum(len(set(map(int, one)) & set(map(int, other))) for one, other in zip(found, nearest))
        answer({"qps": len(queries) / seconds, "cpu_qps": len(queries) / cpu_seconds, "recall": hits / nearest.size})


def answer(figures):
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
