"""Vectors that lie as embeddings do, and the true neighbours of others."""
import pathlib

import numpy

SAMPLES = pathlib.Path(__file__).resolve().parents[2] / "Samples/medical"


def read(path, kind=numpy.float32):
    words = numpy.fromfile(path, dtype=numpy.int32)
    return words.reshape(-1, 1 + words[0])[:, 1:].view(kind)


def write(path, rows):
    heads = numpy.full((len(rows), 1), rows.shape[1], dtype=numpy.int32)
    numpy.hstack([heads, rows.view(numpy.int32)]).tofile(path)


class Embeddings:
    """Each is a mixture of three neighbours among the 2,426 real embeddings of Samples/medical, with noise that has their
    covariance: directions in which they differ more are those in which it is larger. Other dimensions than 384 are a
    random rotation of it, which keeps the angles."""

    NEIGHBOURS = 12

    def __init__(self, dimension, seed):
        self.random = numpy.random.default_rng(seed)
        self.real = numpy.ascontiguousarray(read(SAMPLES / "documents.fvecs"))
        similar = self.real @ self.real.T
        self.near = numpy.argsort(-similar, axis=1)[:, 1:1 + self.NEIGHBOURS]
        _, spread, self.directions = numpy.linalg.svd(self.real - self.real.mean(0), full_matrices=False)
        self.spread = spread / numpy.sqrt(len(self.real))
        width = self.real.shape[1]
        self.rotation = None
        if dimension != width:
            self.rotation = numpy.linalg.qr(self.random.standard_normal((dimension, width)))[0].T if dimension > width else None
            if self.rotation is None:
                raise ValueError(f"vectors of {dimension} components cannot be made; give --base and --queries")

    def make(self, count, noise):
        one = self.random.integers(0, len(self.real), count)
        weights = self.random.dirichlet([1.0, 0.6, 0.6], count)
        rows = weights[:, :1] * self.real[one]
        for column in (1, 2):
            rows += weights[:, column:column + 1] * self.real[self.near[one, self.random.integers(0, self.NEIGHBOURS, count)]]
        rows += noise * ((self.random.standard_normal((count, len(self.spread))) * self.spread) @ self.directions)
        if self.rotation is not None:
            rows = rows @ self.rotation
        return (rows / numpy.linalg.norm(rows, axis=1, keepdims=True)).astype(numpy.float32)


def passing(count, share):
    """Knuth's multiplicative hash is below the share; the programs under measurement compute the same."""
    return numpy.nonzero(numpy.arange(count, dtype=numpy.uint64) * 2_654_435_761 % 2**32 < share * 2**32)[0]


def nearest(base, queries, k, share=None):
    """The k keys with the largest product, exact."""
    keys = numpy.arange(len(base)) if share is None else passing(len(base), share)
    rows = numpy.ascontiguousarray(base[keys])
    found = []
    for first in range(0, len(queries), 100):
        products = queries[first:first + 100] @ rows.T
        some = numpy.argpartition(-products, min(k, len(keys) - 1), axis=1)[:, :k]
        order = numpy.argsort(-numpy.take_along_axis(products, some, axis=1), axis=1)
        found.append(keys[numpy.take_along_axis(some, order, axis=1)])
    return numpy.vstack(found).astype(numpy.int32)


def write_many(path, embeddings, count, noise, block=50_000):
    """As many as do not fit into memory while they are made; other ones than `make` gives for the same count."""
    with open(path, "wb") as file:
        for first in range(0, count, block):
            rows = embeddings.make(min(block, count - first), noise)
            heads = numpy.full((len(rows), 1), rows.shape[1], dtype=numpy.int32)
            numpy.hstack([heads, rows.view(numpy.int32)]).tofile(file)


def nearest_of_first(path, count, queries, k, block=100_000):
    """The k keys with the largest product among the first vectors of a file, exact, read a block at a time, each of more than k."""
    words = numpy.memmap(path, dtype=numpy.int32, mode="r")
    rows = words.reshape(-1, 1 + words[0])[:, 1:].view(numpy.float32)
    best, keys = [], []
    for first in range(0, count, block):
        products = queries @ numpy.ascontiguousarray(rows[first:min(first + block, count)]).T
        some = numpy.argpartition(-products, k, axis=1)[:, :k]
        best.append(numpy.take_along_axis(products, some, axis=1))
        keys.append(some + first)
    order = numpy.argsort(-numpy.hstack(best), axis=1)[:, :k]
    return numpy.take_along_axis(numpy.hstack(keys), order, axis=1).astype(numpy.int32)


def normalised(rows):
    return rows / numpy.linalg.norm(rows, axis=1, keepdims=True)
