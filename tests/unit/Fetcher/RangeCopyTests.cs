using System.Security.Cryptography;
using Entrepot.Contracts;
using Entrepot.Fetcher.Work;
using Entrepot.Oci;
using Entrepot.Storage;
using Entrepot.TestSupport.Running;
using Entrepot.UnitTests.Upstreams;
using Entrepot.Upstreams;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Entrepot.UnitTests.Fetcher;

/// <summary>One response, from a real connection into a real spool.</summary>
public sealed class RangeCopyTests : UpstreamTest, IDisposable
{
    private const int KiB = 1024;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);
    private readonly string _folder = Directory.CreateTempSubdirectory("entrepot-copy-").FullName;
    private readonly byte[] _blob = RandomNumberGenerator.GetBytes((3 * 1024 * KiB) + 7);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_whole_response_is_copied_to_its_last_byte_and_hashes_right()
    {
        var fake = await StartAsync((context, _) => SendContentAsync(context, _blob));
        using var spool = NewSpool();
        Assert.Equal((_blob.Length, null), await CopyAsync(fake, spool, 0, _blob.Length));
        Assert.Equal(spool.Digest, await spool.VerifyAsync());
    }

    [Fact]
    public async Task What_trickles_in_reaches_a_reader_before_the_next_bytes_are_waited_for()
    {
        const int step = 16 * KiB, steps = 20;
        using var arrived = new SemaphoreSlim(0);
        var fake = await StartAsync(async (context, _) =>
        {
            context.Response.ContentLength = _blob.Length;
            for (var at = 0; at < steps * step; at += step)
            {
                await context.Response.Body.WriteAsync(_blob.AsMemory(at, step));
                await context.Response.Body.FlushAsync();

                // The next bytes come when the reader has these.
                if (!await arrived.WaitAsync(Deadline)) return;
            }
            await context.Response.Body.WriteAsync(_blob.AsMemory(steps * step));
        });
        using var spool = NewSpool();
        var copying = CopyAsync(fake, spool, 0, _blob.Length);
        using var reader = spool.OpenOrNull(0)!;
        var got = new byte[_blob.Length];
        for (var at = 0; at < steps * step;)
        {
            Assert.True(await reader.WaitAsync(at, default).AsTask().WaitAsync(Deadline), $"nothing came at {at}");
            at += await reader.ReadAsync(at, got.AsMemory(at), default);
            if (at % step == 0) arrived.Release();
        }
        Assert.Equal(_blob[..(steps * step)], got[..(steps * step)]);
        Assert.Equal((_blob.Length, null), await copying.WaitAsync(Deadline));
        Assert.Equal(spool.Digest, await spool.VerifyAsync());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(100 * KiB)]
    [InlineData(256 * KiB)]
    [InlineData((1024 * KiB) + 5)]
    public async Task A_break_in_the_middle_keeps_what_came_and_the_rest_follows_from_there(int brokenAt)
    {
        var requests = 0;
        var fake = await StartAsync(async (context, _) =>
        {
            if (Interlocked.Increment(ref requests) > 1)
            {
                await SendContentAsync(context, _blob);
                return;
            }
            context.Response.ContentLength = _blob.Length;
            await context.Response.Body.WriteAsync(_blob.AsMemory(0, brokenAt));
        });
        using var spool = NewSpool();
        var (reached, broke) = await CopyAsync(fake, spool, 0, _blob.Length);
        Assert.Equal((brokenAt, FetchOutcome.Unavailable, brokenAt), (reached, broke!.Outcome, spool.Prefix));
        Assert.Equal((_blob.Length, null), await CopyAsync(fake, spool, reached, _blob.Length));
        Assert.Equal(spool.Digest, await spool.VerifyAsync());
        Assert.Equal($"bytes={brokenAt}-", fake.Seen.Last().Range);
    }

    [Fact]
    public async Task A_silence_in_the_middle_keeps_what_came()
    {
        var fake = await StartAsync(async (context, self) =>
        {
            context.Response.ContentLength = _blob.Length;
            await context.Response.Body.WriteAsync(_blob.AsMemory(0, 300 * KiB));
            await context.Response.Body.FlushAsync();
            await Task.Delay(Timeout.Infinite, self.Closing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        });
        using var spool = NewSpool();
        var (reached, broke) = await CopyAsync(fake, spool, 0, _blob.Length, options => options.StallTimeout = TimeSpan.FromSeconds(1));
        Assert.Equal((300 * KiB, FetchOutcome.Unavailable, 300 * KiB), (reached, broke!.Outcome, spool.Prefix));
    }

    [Fact]
    public async Task A_cancelled_copy_ends_at_once()
    {
        var fake = await StartAsync(async (context, self) =>
        {
            context.Response.ContentLength = _blob.Length;
            await context.Response.Body.WriteAsync(_blob.AsMemory(0, 20 * KiB));
            await context.Response.Body.FlushAsync();
            await Task.Delay(Timeout.Infinite, self.Closing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        });
        using var spool = NewSpool();
        using var cancel = new CancellationTokenSource();
        var copying = CopyAsync(fake, spool, 0, _blob.Length, cancellationToken: cancel.Token);
        await Eventually.Async(() => spool.Prefix == 20 * KiB, Deadline, "the first bytes");
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => copying.WaitAsync(Deadline));
    }

    [Fact]
    public async Task A_response_of_no_announced_length_that_is_too_long_is_corrupt()
    {
        var fake = await StartAsync(async (context, _) => await context.Response.Body.WriteAsync(_blob.AsMemory(0, 10_001)));
        using var spool = NewSpool(10_000);
        var (_, broke) = await CopyAsync(fake, spool, 0, 10_000);
        Assert.Equal(FetchOutcome.Corrupt, broke?.Outcome);
    }

    [Fact]
    public async Task A_response_of_no_announced_length_that_is_too_short_is_resumed()
    {
        var fake = await StartAsync(async (context, _) => await context.Response.Body.WriteAsync(_blob.AsMemory(0, 9_999)));
        using var spool = NewSpool(10_000);
        var (reached, broke) = await CopyAsync(fake, spool, 0, 10_000);
        Assert.Equal((9_999, FetchOutcome.Unavailable, 9_999), (reached, broke?.Outcome, spool.Prefix));
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(false, false)]
    public async Task The_whole_sent_although_a_range_was_asked_for_gives_the_range(bool announced, bool upToTheEnd)
    {
        var fake = await StartAsync(async (context, _) =>
        {
            if (announced) context.Response.ContentLength = _blob.Length;
            await context.Response.Body.WriteAsync(_blob);
        });
        var (start, end) = ((1024 * KiB) + 3, upToTheEnd ? _blob.Length : 2 * 1024 * KiB);
        using var spool = NewSpool();
        Assert.Equal((end, null), await CopyAsync(fake, spool, start, end));
        Assert.Equal(0, spool.Prefix);
        Assert.Equal([(0L, (long)start)], spool.Gaps(0, end));
        if (!upToTheEnd) Assert.Equal([(end, (long)_blob.Length)], spool.Gaps(end, _blob.Length));

        // The bytes of the range, and not those of the beginning.
        await spool.WriteAsync(0, _blob.AsMemory(0, start), default);
        await spool.WriteAsync(end, _blob.AsMemory(end), default);
        Assert.Equal(spool.Digest, await spool.VerifyAsync());
    }

    [Fact]
    public async Task The_whole_sent_without_a_length_gives_the_first_piece_of_it()
    {
        var fake = await StartAsync(async (context, _) => await context.Response.Body.WriteAsync(_blob));
        using var spool = NewSpool();
        const int end = (2 * 1024 * KiB) + 5;
        Assert.Equal((end, null), await CopyAsync(fake, spool, 0, end));
        Assert.Equal(end, spool.Prefix);
    }

    [Fact]
    public async Task A_disk_that_is_full_while_the_next_bytes_are_waited_for_ends_the_wait_first()
    {
        var fake = await StartAsync(async (context, self) =>
        {
            context.Response.ContentLength = _blob.Length;
            await context.Response.Body.WriteAsync(_blob.AsMemory(0, 20 * KiB));
            await context.Response.Body.FlushAsync();
            await Task.Delay(Timeout.Infinite, self.Closing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        });

        // Every write to it fails with ENOSPC.
        using var spool = new Spool(Guid.NewGuid(), 1, Digest.Sha256Of(_blob), "/dev/full", TimeProvider.System);
        spool.OpenFile(0);
        spool.Answer(new LiveAnswer("u", "r", _blob.Length));
        await Assert.ThrowsAsync<SpoolFullException>(() => CopyAsync(fake, spool, 0, _blob.Length).WaitAsync(Deadline));
    }

    [Fact]
    public async Task Past_a_disk_that_is_full_a_response_goes_through_memory_to_its_readers()
    {
        var fake = await StartAsync((context, _) => SendContentAsync(context, _blob));
        using var spool = new Spool(Guid.NewGuid(), 1, Digest.Sha256Of(_blob), Path.Combine(_folder, "none"), TimeProvider.System);
        await spool.SwitchToRingAsync(() => { });
        spool.Answer(new LiveAnswer("u", "r", _blob.Length));
        Assert.Equal((_blob.Length, null), await CopyAsync(fake, spool, 0, _blob.Length));
        using var reader = spool.OpenOrNull(0)!;
        Assert.Equal(spool.Digest, await spool.VerifyAsync());
        var got = new byte[_blob.Length];
        for (var at = 0; at < got.Length;) at += await reader.ReadAsync(at, got.AsMemory(at), default) is var read and > 0 ? read : throw new InvalidOperationException($"nothing at {at}");
        Assert.Equal(_blob, got);
    }

    private Spool NewSpool(int? size = null)
    {
        var bytes = _blob.AsSpan(0, size ?? _blob.Length);
        var spool = new Spool(Guid.NewGuid(), 1, Digest.Sha256Of(bytes), Path.Combine(_folder, Guid.NewGuid().ToString("N")), TimeProvider.System);
        spool.OpenFile(0);
        spool.Answer(new LiveAnswer("u", "r", bytes.Length));
        return spool;
    }

    private async Task<(long Reached, UpstreamFailure? Broke)> CopyAsync(
        FakeRegistry fake, Spool spool, long offset, long end, Action<UpstreamOptions>? configure = null, CancellationToken cancellationToken = default)
    {
        await using var stream = (await OpenAsync(To(fake, configure), offset, end == spool.Size ? null : end - 1)).Value;
        return await new RangeCopy(spool, stream, offset, end, "fake.test").RunAsync(cancellationToken);
    }
}
