using Entrepot.Oci;
using Entrepot.Contracts;

namespace Entrepot.Metadata;

/// <summary>What we know of the bytes: which are held, where they came from, who may have them. Safe for concurrent use.</summary>
public sealed class Holdings(IDatabase database)
{
    private const long ClockNoiseMs = 60_000;

    private SqlDialect Dialect => database.Dialect;

    /// <summary>Everything that decides whether, and how, this repository is served this blob, in one query.</summary>
    public Task<BlobFacts> FindBlobAsync(string upstream, string repository, string digest, CancellationToken cancellationToken) =>
        database.ReadAsync(async (session, token) =>
        {
            HeldBlob? held = null;
            var origin = new Origin();
            await session.Sql($"""
                SELECT 'held' AS fact, b.size AS a, b.fence AS b, NULL AS c FROM blobs b WHERE b.digest = @digest
                {OriginFacts}
                """)
                .With("upstream", upstream).With("repository", repository).With("digest", digest).ForEachAsync(row =>
                {
                    if (row.GetString(0) == "held") held = new(row.GetInt64(1), row.GetInt64(2));
                    else origin.Add(row.GetString(0), row.LongOrNull(1), row.StringOrNull(3));
                    return true;
                }, token);
            return new BlobFacts
            {
                Held = held,
                Rights = origin.Rights,
                ListedSize = origin.ListedSize,
                ListedMediaType = origin.ListedMediaType,
                PossessedBy = origin.PossessedBy,
            };
        }, cancellationToken);

    /// <summary>The same for a manifest, with its bytes.</summary>
    public Task<ManifestFacts> FindManifestAsync(string upstream, string repository, string digest, CancellationToken cancellationToken) =>
        database.ReadAsync(async (session, token) =>
        {
            HeldManifest? held = null;
            var origin = new Origin();
            await session.Sql($"""
                SELECT 'held' AS fact, NULL AS a, NULL AS b, m.media_type AS c, m.bytes, m.subject, m.artifact_type FROM manifests m WHERE m.digest = @digest
                UNION ALL
                SELECT fact, a, b, c, NULL, NULL, NULL FROM (SELECT '' AS fact, CAST(NULL AS bigint) AS a, CAST(NULL AS bigint) AS b, CAST(NULL AS text) AS c WHERE FALSE {OriginFacts}) origins
                """)
                .With("upstream", upstream).With("repository", repository).With("digest", digest).ForEachAsync(row =>
                {
                    if (row.GetString(0) == "held") held = new(row.GetFieldValue<byte[]>(4), row.GetString(3), row.StringOrNull(5), row.StringOrNull(6));
                    else origin.Add(row.GetString(0), row.LongOrNull(1), row.StringOrNull(3));
                    return true;
                }, token);
            return new ManifestFacts { Held = held, Rights = origin.Rights, PossessedBy = origin.PossessedBy };
        }, cancellationToken);

    /// <summary>
    /// The manifests that this repository downloaded, or its upstream confirmed, and whose subject is the digest; ordered by digest. Whether they may
    /// be served is another question. Reads what this repository has, by primary keys, rather than all manifests of that subject: no index of subjects is needed.
    /// </summary>
    public Task<IReadOnlyList<HeldReferrer>> ListReferrersAsync(string upstream, string repository, string subject, CancellationToken cancellationToken) =>
        database.ReadAsync<IReadOnlyList<HeldReferrer>>(async (session, token) =>
        {
            var referrers = await session.Sql("""
                SELECT m.digest, m.artifact_type
                FROM repositories r JOIN repository_contents c ON c.repository_id = r.id JOIN manifests m ON m.digest = c.digest
                WHERE r.upstream = @upstream AND r.name = @repository AND m.subject = @subject
                """)
                .With("upstream", upstream).With("repository", repository).With("subject", subject)
                .ListAsync(row => new HeldReferrer(row.GetString(0), row.StringOrNull(1)), token);
            referrers.Sort((one, other) => string.CompareOrdinal(one.Digest, other.Digest));
            return referrers;
        }, cancellationToken);

    /// <summary>Where a tag points and how fresh that is; null when nothing is known of it (its epoch is then 0).</summary>
    public Task<TagFacts?> FindTagOrNullAsync(string upstream, string repository, string tag, CancellationToken cancellationToken) =>
        database.ReadAsync((session, token) => session.Sql($"""
            SELECT t.digest, t.checked_at, t.changed_at, {Dialect.Now} - t.checked_at, t.epoch
            FROM tags t JOIN repositories r ON r.id = t.repository_id WHERE r.upstream = @upstream AND r.name = @repository AND t.name = @tag
            """)
            .With("upstream", upstream).With("repository", repository).With("tag", tag)
            .FirstOrDefaultAsync(row => new TagFacts(row.StringOrNull(0), Moment(row.GetInt64(1)), Moment(row.GetInt64(2)), Age(row.GetInt64(3)), row.GetInt64(4)), token), cancellationToken);

    /// <summary>A list as last received, or null.</summary>
    public Task<DocumentFacts?> FindDocumentOrNullAsync(string upstream, string repository, FetchKind kind, string reference, CancellationToken cancellationToken) =>
        database.ReadAsync((session, token) => session.Sql($"""
            SELECT d.body, d.media_type, d.checked_at, {Dialect.Now} - d.checked_at
            FROM documents d JOIN repositories r ON r.id = d.repository_id
            WHERE r.upstream = @upstream AND r.name = @repository AND d.kind = @kind AND d.reference = @reference
            """)
            .With("upstream", upstream).With("repository", repository).With<FetchKind>("kind", kind).With("reference", reference)
            .FirstOrDefaultAsync(row => new DocumentFacts(row.GetFieldValue<byte[]>(0), row.GetString(1), Moment(row.GetInt64(2)), Age(row.GetInt64(3))), token), cancellationToken);

    /// <summary>How long ago a list was received, or null when none is held.</summary>
    public Task<TimeSpan?> FindDocumentAgeOrNullAsync(string upstream, string repository, FetchKind kind, string reference, CancellationToken cancellationToken) =>
        database.ReadAsync((session, token) => session.Sql($"""
            SELECT {Dialect.Now} - d.checked_at FROM documents d JOIN repositories r ON r.id = d.repository_id
            WHERE r.upstream = @upstream AND r.name = @repository AND d.kind = @kind AND d.reference = @reference
            """)
            .With("upstream", upstream).With("repository", repository).With<FetchKind>("kind", kind).With("reference", reference)
            .FirstOrDefaultAsync<TimeSpan?>(row => Age(row.GetInt64(0)), token), cancellationToken);

    /// <summary>Whether the bytes of this blob or manifest are held, whoever may have them.</summary>
    public Task<bool> IsHeldAsync(string digest, CancellationToken cancellationToken) =>
        database.ReadAsync((session, token) => session.Sql("""
            SELECT EXISTS (SELECT 1 FROM blobs WHERE digest = @digest) OR EXISTS (SELECT 1 FROM manifests WHERE digest = @digest)
            """)
            .With("digest", digest).FirstOrDefaultAsync(row => row.GetBoolean(0), token), cancellationToken);

    /// <summary>The manifest of this repository that lists the blob as a layer, the last stored when several do, and its layers that are not held, in order; null when none does.</summary>
    public Task<(string Manifest, IReadOnlyList<MissingLayer> Layers)?> FindMissingLayersAsync(string upstream, string repository, string layerDigest, CancellationToken cancellationToken) =>
        database.ReadAsync<(string, IReadOnlyList<MissingLayer>)?>(async (session, token) =>
        {
            string? manifest = null;
            var layers = new List<MissingLayer>();
            await session.Sql($"""
                WITH listing AS (
                    SELECT m.digest FROM manifest_references x JOIN manifests m ON m.digest = x.parent
                    WHERE x.child = @digest AND x.role = '{nameof(ReferenceRole.Layer)}' AND EXISTS (
                        SELECT 1 FROM repository_contents c JOIN repositories r ON r.id = c.repository_id
                        WHERE c.digest = x.parent AND r.upstream = @upstream AND r.name = @repository)
                    ORDER BY m.stored_at DESC LIMIT 1)
                SELECT listing.digest, x.child, x.size, x.media_type FROM listing
                LEFT JOIN manifest_references x ON x.parent = listing.digest AND x.role = '{nameof(ReferenceRole.Layer)}' AND NOT EXISTS (SELECT 1 FROM blobs b WHERE b.digest = x.child)
                ORDER BY x.position
                """)
                .With("digest", layerDigest).With("upstream", upstream).With("repository", repository)
                .ForEachAsync(row =>
                {
                    manifest = row.GetString(0);
                    if (!row.IsDBNull(1)) layers.Add(new MissingLayer(row.GetString(1), row.GetInt64(2), row.GetString(3)));
                    return true;
                }, token);
            return manifest is null ? null : (manifest, [.. layers.DistinctBy(layer => layer.Digest)]);
        }, cancellationToken);

    /// <summary>The tags we hold of a repository, in ordinal order; not the upstream's full list, which is a document.</summary>
    public Task<IReadOnlyList<string>> ListTagsAsync(string upstream, string repository, CancellationToken cancellationToken) =>
        database.ReadAsync<IReadOnlyList<string>>(async (session, token) =>
        {
            var tags = await session.Sql("""
                SELECT t.name FROM tags t JOIN repositories r ON r.id = t.repository_id
                WHERE r.upstream = @upstream AND r.name = @repository AND t.digest IS NOT NULL
                """)
                .With("upstream", upstream).With("repository", repository).ListAsync(row => row.GetString(0), token);
            tags.Sort(StringComparer.Ordinal);
            return tags;
        }, cancellationToken);

    /// <summary>Every repository something was fetched for, in ordinal order.</summary>
    public Task<IReadOnlyList<KnownRepository>> ListRepositoriesAsync(CancellationToken cancellationToken) =>
        database.ReadAsync<IReadOnlyList<KnownRepository>>(async (session, token) =>
            (await session.Sql("SELECT upstream, name FROM repositories").ListAsync(row => new KnownRepository(row.GetString(0), row.GetString(1)), token))
            .OrderBy(r => r.Upstream, StringComparer.Ordinal).ThenBy(r => r.Name, StringComparer.Ordinal).ToList(), cancellationToken);

    /// <summary>The object of this blob has vanished behind our back: its row goes too, so that the blob is fetched again. Spares a row of another fence.</summary>
    /// <returns>Whether the row was removed.</returns>
    public Task<bool> ForgetBlobAsync(string digest, long fence, CancellationToken cancellationToken) =>
        database.WriteAsync(async (session, token) =>
            await session.Sql("DELETE FROM blobs WHERE digest = @digest AND fence = @fence").With("digest", digest).With("fence", fence).ExecuteAsync(token) > 0, cancellationToken);

    /// <summary>Appended to a SELECT of (fact, a, b, c): what this repository has of the digest, who possesses it, and one listing.</summary>
    private const string OriginFacts = """
        UNION ALL
        SELECT 'own', NULL, NULL, c.via FROM repositories r JOIN repository_contents c ON c.repository_id = r.id AND c.digest = @digest
        WHERE r.upstream = @upstream AND r.name = @repository
        UNION ALL
        SELECT DISTINCT 'possessed', CAST(NULL AS bigint), CAST(NULL AS bigint), r.upstream FROM repository_contents c JOIN repositories r ON r.id = c.repository_id
        WHERE c.digest = @digest AND c.via = 'Downloaded'
        UNION ALL
        SELECT * FROM (
            SELECT 'listed', x.size, CAST(NULL AS bigint), x.media_type FROM manifest_references x
            JOIN repositories r ON r.upstream = @upstream AND r.name = @repository
            JOIN repository_contents c ON c.repository_id = r.id AND c.digest = x.parent
            WHERE x.child = @digest LIMIT 1) listing
        """;

    private static DateTimeOffset Moment(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);

    /// <summary>What was checked in the future was checked by a clock that has been set back since: of unknown age, for which RFC 9111 §1.2.2 has this number.</summary>
    private static TimeSpan Age(long milliseconds) =>
        milliseconds < -ClockNoiseMs ? TimeSpan.FromSeconds(int.MaxValue) : TimeSpan.FromMilliseconds(Math.Max(0, milliseconds));

    /// <summary>Collects the rows of <see cref="OriginFacts"/>.</summary>
    private sealed class Origin
    {
        private readonly List<string> _possessedBy = [];

        public Rights Rights { get; private set; }

        public long? ListedSize { get; private set; }

        public string? ListedMediaType { get; private set; }

        public IReadOnlyList<string> PossessedBy => _possessedBy;

        public void Add(string fact, long? number, string? text)
        {
            switch (fact)
            {
                case "own":
                    Rights |= text == ContentRows.Downloaded ? Rights.Downloaded : Rights.Confirmed;
                    break;
                case "possessed":
                    _possessedBy.Add(text!);
                    break;
                default:
                    Rights |= Rights.Listed;
                    (ListedSize, ListedMediaType) = (number, text);
                    break;
            }
        }
    }
}
