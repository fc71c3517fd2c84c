namespace Entrepot.Metadata;

/// <summary>Writes to the tables that say what is held and where it came from, within a unit of somebody else.</summary>
internal static class ContentRows
{
    public const string Downloaded = "Downloaded";
    public const string Confirmed = "Confirmed";

    /// <summary>The repository's id; a row is made when it is new.</summary>
    public static async Task<long> GetRepositoryIdAsync(DbSession session, string upstream, string name, CancellationToken cancellationToken)
    {
        const string find = "SELECT id FROM repositories WHERE upstream = @upstream AND name = @name";
        return await RunAsync(find)
            ?? await RunAsync("INSERT INTO repositories (upstream, name) VALUES (@upstream, @name) ON CONFLICT (upstream, name) DO NOTHING RETURNING id")
            // Another transaction has just inserted it; this statement's snapshot sees it.
            ?? await RunAsync(find)
            ?? throw new InvalidOperationException($"Repository {upstream}/{name} was removed while it was added");

        Task<long?> RunAsync(string sql) => session.Sql(sql).With("upstream", upstream).With("name", name)
            .FirstOrDefaultAsync<long?>(row => row.GetInt64(0), cancellationToken);
    }

    /// <summary>Records that a repository has a digest. A confirmation never replaces possession.</summary>
    public static async Task AddAsync(DbSession session, string upstream, string repository, string digest, string via, CancellationToken cancellationToken)
    {
        var repositoryId = await GetRepositoryIdAsync(session, upstream, repository, cancellationToken);
        await session.Sql($"""
            INSERT INTO repository_contents (repository_id, digest, via) VALUES (@repository, @digest, @via)
            ON CONFLICT (repository_id, digest) DO UPDATE SET via = excluded.via WHERE repository_contents.via = '{Confirmed}' AND excluded.via = '{Downloaded}'
            """)
            .With("repository", repositoryId).With("digest", digest).With("via", via).ExecuteAsync(cancellationToken);
    }

    /// <returns>False when it was held already.</returns>
    public static async Task<bool> AddManifestAsync(DbSession session, StoredManifest manifest, CancellationToken cancellationToken)
    {
        var dialect = session.Dialect;
        var inserted = await session.Sql($"""
            INSERT INTO manifests (digest, media_type, bytes, size, subject, artifact_type, stored_at)
            VALUES (@digest, @mediaType, @bytes, @size, @subject, @artifactType, {dialect.Now}) ON CONFLICT (digest) DO NOTHING
            """)
            .With("digest", manifest.Digest).With("mediaType", manifest.MediaType).With("bytes", manifest.Bytes).With("size", manifest.Bytes.Length)
            .With("subject", manifest.Subject).With("artifactType", manifest.ArtifactType).ExecuteAsync(cancellationToken);
        if (inserted == 0) return false;
        if (manifest.References.Count == 0) return true;

        var rows = SqlDialect.Json(manifest.References.Index(), static (json, reference) =>
        {
            json.WriteNumber("position", reference.Index);
            json.WriteString("child", DbStatement.Storable(reference.Item.Digest));
            json.WriteString("role", reference.Item.Role.ToString());
            json.WriteNumber("size", reference.Item.Size);
            json.WriteString("media_type", DbStatement.Storable(reference.Item.MediaType));
            json.WriteString("platform", DbStatement.Storable(reference.Item.Platform));
        });
        await session.Sql($"""
            INSERT INTO manifest_references (parent, position, child, role, size, media_type, platform)
            SELECT @parent, r.position, r.child, r.role, r.size, r.media_type, r.platform
            FROM {dialect.Rows("rows", "r", ("position", "integer"), ("child", "text"), ("role", "text"), ("size", "bigint"), ("media_type", "text"), ("platform", "text"))}
            """)
            .With("parent", manifest.Digest).With("rows", rows).ExecuteAsync(cancellationToken);
        return true;
    }

    /// <summary>
    /// Writes where a tag points, unless it was purged (epoch) or checked by somebody else (checked_at) since the fetch was claimed, or
    /// its manifest is not held. A checked_at in the future is a clock set back, and must not freeze the tag.
    /// </summary>
    /// <returns>Whether it was written.</returns>
    public static async Task<bool> WriteTagAsync(DbSession session, TagUpdate tag, long claimedAt, CancellationToken cancellationToken)
    {
        var now = session.Dialect.Now;
        var repositoryId = await GetRepositoryIdAsync(session, tag.Upstream, tag.Repository, cancellationToken);
        var updated = await session.Sql($"""
            UPDATE tags SET digest = @digest, checked_at = {now}, changed_at = CASE WHEN digest = @digest THEN changed_at ELSE {now} END
            WHERE repository_id = @repository AND name = @tag AND epoch = @epoch AND NOT (checked_at > @claimedAt AND checked_at <= {now})
                AND EXISTS (SELECT 1 FROM manifests m WHERE m.digest = @digest)
            """)
            .With("digest", tag.Digest).With("repository", repositoryId).With("tag", tag.Tag).With("epoch", tag.Epoch).With("claimedAt", claimedAt)
            .ExecuteAsync(cancellationToken);
        if (updated > 0) return true;
        if (tag.Epoch != 0) return false;
        return await session.Sql($"""
            INSERT INTO tags (repository_id, name, digest, checked_at, changed_at, epoch)
            SELECT @repository, @tag, @digest, {now}, {now}, 0 WHERE EXISTS (SELECT 1 FROM manifests m WHERE m.digest = @digest)
            ON CONFLICT (repository_id, name) DO NOTHING
            """)
            .With("repository", repositoryId).With("tag", tag.Tag).With("digest", tag.Digest).ExecuteAsync(cancellationToken) > 0;
    }
}
