using Entrepot.Contracts;

namespace Entrepot.Metadata;

/// <content>
/// The successful ends. Each is one transaction whose first statement must hit the running row with the committer's fence: a lost
/// owner changes nothing. Repeating one whose answer was lost gives <see cref="CommitResult.LeaseLost"/>; the rows then tell who won.
/// </content>
public sealed partial class FetchQueue
{
    /// <summary>
    /// Records a verified, durable blob; its object is the one named by this fence. Repeating a commit whose answer was lost gives
    /// <see cref="CommitResult.Committed"/> again as long as that object is the one held.
    /// </summary>
    public Task<CommitResult> CommitBlobAsync(Guid id, long fence, string digest, long size, string upstream, string repository, CancellationToken cancellationToken) =>
        Dialect.HasRowLocks ? CommitBlobInOneAsync(id, fence, digest, size, upstream, repository, cancellationToken) : database.WriteAsync(async (session, token) =>
        {
            if (await FinishAsync(session, id, fence, size, upstream, repository, token) is null) return await RepeatedAsync(session, digest, fence, token);
            await ContentRows.AddAsync(session, upstream, repository, digest, ContentRows.Downloaded, token);
            var inserted = await session.Sql($"""
                INSERT INTO blobs (digest, size, fence, stored_at) VALUES (@digest, @size, @fence, {Dialect.Now}) ON CONFLICT (digest) DO NOTHING
                """)
                .With("digest", digest).With("size", size).With("fence", fence).ExecuteAsync(token);
            if (inserted > 0) return CommitResult.Committed;
            // Somebody is about to read bytes that may be old: an eviction that has already chosen them must see that.
            await session.Sql($"""
                INSERT INTO accesses (digest, last_at, count) VALUES (@digest, {Dialect.Now}, 0)
                ON CONFLICT (digest) DO UPDATE SET last_at = {Dialect.Greatest}(accesses.last_at, excluded.last_at)
                """)
                .With("digest", digest).ExecuteAsync(token);
            return CommitResult.AlreadyStored;
        }, cancellationToken);

    /// <summary>Records a manifest with what it lists, and, for a tag's fetch, where the tag points now.</summary>
    public Task<CommitResult> CommitManifestAsync(Guid id, long fence, StoredManifest manifest, string upstream, string repository, TagUpdate? tag, CancellationToken cancellationToken) =>
        database.WriteAsync(async (session, token) =>
        {
            if (await FinishAsync(session, id, fence, manifest.Bytes.Length, upstream, repository, token) is not { } claimedAt) return CommitResult.LeaseLost;
            await ContentRows.AddAsync(session, upstream, repository, manifest.Digest, ContentRows.Downloaded, token);
            var isNew = await ContentRows.AddManifestAsync(session, manifest, token);
            if (tag is not null && !await ContentRows.WriteTagAsync(session, tag, claimedAt, token)) return CommitResult.TagNotWritten;
            return isNew ? CommitResult.Committed : CommitResult.AlreadyStored;
        }, cancellationToken);

    /// <summary>Records that a tag was checked and points to a manifest that is held already.</summary>
    public Task<CommitResult> CommitTagAsync(Guid id, long fence, TagUpdate tag, CancellationToken cancellationToken) =>
        database.WriteAsync(async (session, token) =>
        {
            if (await FinishAsync(session, id, fence, null, tag.Upstream, tag.Repository, token) is not { } claimedAt) return CommitResult.LeaseLost;
            await ContentRows.AddAsync(session, tag.Upstream, tag.Repository, tag.Digest, ContentRows.Confirmed, token);
            return await ContentRows.WriteTagAsync(session, tag, claimedAt, token) ? CommitResult.Committed : CommitResult.TagNotWritten;
        }, cancellationToken);

    /// <summary>Records that the repository's upstream has confirmed a digest whose bytes are held already.</summary>
    public Task<CommitResult> CommitLinkAsync(Guid id, long fence, string upstream, string repository, string digest, CancellationToken cancellationToken) =>
        database.WriteAsync(async (session, token) =>
        {
            if (await FinishAsync(session, id, fence, null, upstream, repository, token) is null) return CommitResult.LeaseLost;
            await ContentRows.AddAsync(session, upstream, repository, digest, ContentRows.Confirmed, token);
            return CommitResult.Committed;
        }, cancellationToken);

    /// <summary>Records a tag list or a list of referrers.</summary>
    public Task<CommitResult> CommitDocumentAsync(Guid id, long fence, StoredDocument document, CancellationToken cancellationToken) =>
        database.WriteAsync(async (session, token) =>
        {
            if (await FinishAsync(session, id, fence, document.Body.Length, document.Upstream, document.Repository, token) is null) return CommitResult.LeaseLost;
            var repositoryId = await ContentRows.GetRepositoryIdAsync(session, document.Upstream, document.Repository, token);
            await session.Sql($"""
                INSERT INTO documents (repository_id, kind, reference, body, media_type, checked_at) VALUES (@repository, @kind, @reference, @body, @mediaType, {Dialect.Now})
                ON CONFLICT (repository_id, kind, reference) DO UPDATE SET body = excluded.body, media_type = excluded.media_type, checked_at = excluded.checked_at
                """)
                .With("repository", repositoryId).With<FetchKind>("kind", document.Kind).With("reference", document.Reference)
                .With("body", document.Body).With("mediaType", document.MediaType).ExecuteAsync(token);
            return CommitResult.Committed;
        }, cancellationToken);

    /// <summary>Ends a fetch that brought its waiters what they need and leaves nothing: it was held already, or went past a full disk. Its sources stay unsettled.</summary>
    /// <returns><see cref="CommitResult.Committed"/> or <see cref="CommitResult.LeaseLost"/>.</returns>
    public Task<CommitResult> FinishWithoutContentAsync(Guid id, long fence, CancellationToken cancellationToken) =>
        database.WriteAsync(async (session, token) =>
            await session.Sql($"""
                UPDATE fetches SET state = 'Done', outcome = 'Stored', message = NULL, finished_at = {Dialect.Now}, lease_until = NULL, suspected_at = NULL
                WHERE id = @id AND fence = @fence AND state = 'Running'
                """)
                .With("id", id).With("fence", fence).ExecuteAsync(token) > 0 ? CommitResult.Committed : CommitResult.LeaseLost, cancellationToken);

    /// <summary>What a commit is that did not find its row running under its fence: no two claims have the same one, so bytes held under it were committed by this.</summary>
    private static async Task<CommitResult> RepeatedAsync(DbSession session, string digest, long fence, CancellationToken cancellationToken) =>
        await session.Sql("SELECT TRUE FROM blobs WHERE digest = @digest AND fence = @fence").With("digest", digest).With("fence", fence).FirstOrDefaultAsync(row => row.GetBoolean(0), cancellationToken)
            ? CommitResult.Committed : CommitResult.LeaseLost;

    /// <returns>When the fetch was claimed, by the database's clock; null when the lease is lost.</returns>
    private async Task<long?> FinishAsync(DbSession session, Guid id, long fence, long? size, string upstream, string repository, CancellationToken cancellationToken)
    {
        var claimedAt = await session.Sql($"""
            UPDATE fetches SET state = 'Done', outcome = 'Stored', message = NULL, finished_at = {Dialect.Now}, lease_until = NULL, suspected_at = NULL,
                size = coalesce(@size, size), progress = coalesce(@size, progress), answered_upstream = @upstream, answered_repository = @repository
            WHERE id = @id AND fence = @fence AND state = 'Running' RETURNING claimed_at
            """)
            .With("size", size).With("upstream", upstream).With("repository", repository).With("id", id).With("fence", fence)
            .FirstOrDefaultAsync<long?>(row => row.GetInt64(0), cancellationToken);
        if (claimedAt is null) return null;
        await session.Sql($"""
            UPDATE fetch_sources SET outcome = 'Stored', message = NULL, settled_at = {Dialect.Now}, retry_at = NULL, failures = 0
            WHERE fetch_id = @id AND upstream = @upstream AND repository = @repository
            """)
            .With("id", id).With("upstream", upstream).With("repository", repository).ExecuteAsync(cancellationToken);
        return claimedAt;
    }
}
