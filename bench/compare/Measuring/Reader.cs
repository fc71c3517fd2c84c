using System.Security.Cryptography;
using Entrepot.Bench.Running;
using Entrepot.TestSupport.Running;

namespace Entrepot.Bench.Measuring;

/// <summary>Reads one blob over several connections at once, a thread for each.</summary>
internal static class Reader
{
    /// <summary>Reads and throws away.</summary>
    /// <param name="url">The blob.</param>
    /// <param name="connections">How many begin at the same moment.</param>
    /// <param name="size">How many bytes each must get.</param>
    /// <param name="cancellationToken">Cuts the connections.</param>
    /// <param name="copies">Takes the bytes first.</param>
    /// <exception cref="BenchException">A connection got something else.</exception>
    public static async Task<Reading> ReadAsync(Uri url, int connections, long size, CancellationToken cancellationToken, bool copies = false)
    {
        using var start = new Barrier(connections);
        var began = TestClock.Now;
        var each = await Task.WhenAll(Enumerable.Range(0, connections).Select(_ => OnThreadAsync(() =>
        {
            start.SignalAndWait(cancellationToken);
            return ReadOne(url, size, copies, cancellationToken);
        })));
        return new Reading(began, each);
    }

    /// <summary>Reads over one connection and hashes: outside of what is measured, to prove that it is right.</summary>
    /// <exception cref="BenchException">The bytes are not what the digest names.</exception>
    public static Task ProveAsync(Uri url, string digest, CancellationToken cancellationToken) =>
        OnThreadAsync(() =>
        {
            using var connection = Connection.To(url);
            using var cut = cancellationToken.Register(connection.Cut);
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            var (length, first) = connection.Get();
            hash.AppendData(first.Span);
            var buffer = new byte[1 << 18];
            for (var got = (long)first.Length; got < length;)
            {
                var count = connection.Receive(buffer);
                if (count == 0) throw new BenchException($"GET {url.AbsolutePath} ended after {got} of {length} bytes");
                hash.AppendData(buffer, 0, count);
                got += count;
            }

            var found = "sha256:" + Convert.ToHexStringLower(hash.GetCurrentHash());
            return found == digest ? true : throw new BenchException($"GET {url.AbsolutePath}: the bytes are {found}, not {digest}");
        });

    private static OneReading ReadOne(Uri url, long size, bool copies, CancellationToken cancellationToken)
    {
        var began = TestClock.Now;
        using var connection = Connection.To(url);
        using var cut = cancellationToken.Register(connection.Cut);
        var (length, first) = connection.Get();
        if (length != size) throw new BenchException($"GET {url.AbsolutePath}: Content-Length is {length}, not {size}");
        var got = (long)first.Length;
        var firstByte = got > 0 ? TestClock.Now - began : TimeSpan.Zero;
        var buffer = new byte[copies ? 1 << 18 : 0];
        while (got < length)
        {
            var count = copies ? connection.Receive(buffer) : connection.Discard();
            if (count == 0) throw new BenchException($"GET {url.AbsolutePath} ended after {got} of {length} bytes");
            if (got == 0) firstByte = TestClock.Now - began;
            got += count;
        }

        return new OneReading(firstByte, TestClock.Now, got);
    }

    private static Task<T> OnThreadAsync<T>(Func<T> work)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() =>
        {
            try
            {
                done.SetResult(work());
            }
            catch (Exception e) // The thread's loop: whoever waits gets it.
            {
                done.SetException(e);
            }
        });
        thread.IsBackground = true;
        thread.Start();
        return done.Task;
    }
}
