using System.Collections.Concurrent;
using System.Text.Json;
using Entrepot.Contracts;
using Entrepot.Metadata;
using Entrepot.Oci;

namespace Entrepot.Api.Index;

/// <summary>
/// The lists this replica knows without asking. A list may be many megabytes, so it is read once for all who ask at the same time, only a few are
/// read at once, and what would push out all others is not kept.
/// </summary>
internal sealed class DocumentIndex(Holdings holdings, ApiOptions options, TimeProvider time) : IDisposable
{
    private const int MostReads = 2;
    private readonly long _mostBytes = options.IndexBytes / 4;
    private readonly BoundedCache<DocumentKey, DocumentEntry> _held = new(options.IndexBytes / 4);
    private readonly ConcurrentDictionary<DocumentKey, Read> _reads = new();
    private readonly SemaphoreSlim _slots = new(MostReads);

    /// <summary>The list as held, or null.</summary>
    public ValueTask<DocumentEntry?> FindOrNullAsync(DocumentKey key, CancellationToken cancellationToken) =>
        _held.TryGet(key, out var entry) ? ValueTask.FromResult<DocumentEntry?>(entry) : new(ReadAsync(key, long.MinValue, cancellationToken));

    /// <summary>The list as the database has it now, after a fetch.</summary>
    public Task<DocumentEntry?> ReloadAsync(DocumentKey key, CancellationToken cancellationToken) => ReadAsync(key, time.GetTimestamp(), cancellationToken);

    /// <summary>Forgets a list that may have changed.</summary>
    public void Forget(DocumentKey key) => _held.Remove(key);

    public void Dispose() => _slots.Dispose();

    /// <summary>Shares a read that began at <paramref name="asOf"/> or later.</summary>
    private async Task<DocumentEntry?> ReadAsync(DocumentKey key, long asOf, CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = _reads.GetOrAdd(key, key => new Read(time.GetTimestamp(), new(() => ReadNowAsync(key))));
            if (read.BeganAt >= asOf) return await read.Result.Value.WaitAsync(cancellationToken);
            await ((Task)read.Result.Value).WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    private async Task<DocumentEntry?> ReadNowAsync(DocumentKey key)
    {
        // Whoever asked first may go away: the others still want it.
        await _slots.WaitAsync();
        try
        {
            var (upstream, repository, reference) = key.Content;
            var document = await holdings.FindDocumentOrNullAsync(upstream, repository, key.Kind, reference, CancellationToken.None);
            var entry = document is null ? null : Parse(key.Kind, document);
            if (entry is null || entry.WeightBytes > _mostBytes / 2) _held.Remove(key);
            else _held.Set(key, entry);
            return entry;
        }
        finally
        {
            _slots.Release();
            _reads.TryRemove(key, out _);
        }
    }

    private DocumentEntry Parse(FetchKind kind, DocumentFacts document)
    {
        var now = time.GetTimestamp();
        return new DocumentEntry
        {
            LoadedAt = now,
            CheckedAt = now - (long)(document.Age.TotalSeconds * time.TimestampFrequency),
            Tags = kind == FetchKind.TagList ? JsonSerializer.Deserialize<string[]>(document.Body)! : [],
            Referrers = kind == FetchKind.Referrers && ReferrersIndex.TryRead(document.Body, out var referrers) ? referrers : [],
        };
    }

    private sealed record Read(long BeganAt, Lazy<Task<DocumentEntry?>> Result);
}
