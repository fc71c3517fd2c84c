using Microsoft.EntityFrameworkCore;

namespace Entrepot.Metadata.Schema;

/// <summary>
/// The schema of record, and what migrations are made from. The row protocol itself is raw SQL: it needs statements that
/// Entity Framework cannot say, and start-up must not wait for its model. There are no foreign keys: rows are written and
/// removed in transactions that keep them consistent, and the queue's locks stay few and ordered.
/// </summary>
internal abstract class CacheDb(DbContextOptions options) : DbContext(options)
{
    /// <summary>States in which a job key may exist only once. The same words stand in the conflict targets of the raw SQL.</summary>
    internal const string ActiveFilter = "state IN ('Queued', 'Running')";

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<RepositoryRow>(e =>
        {
            e.ToTable("repositories").HasKey(r => r.Id);
            e.HasIndex(r => new { r.Upstream, r.Name }).IsUnique();
        });
        modelBuilder.Entity<TagRow>(e => e.ToTable("tags").HasKey(t => new { t.RepositoryId, t.Name }));
        modelBuilder.Entity<ManifestRow>(e => e.ToTable("manifests").HasKey(m => m.Digest));
        modelBuilder.Entity<ManifestReferenceRow>(e =>
        {
            e.ToTable("manifest_references").HasKey(r => new { r.Parent, r.Position });
            e.HasIndex(r => r.Child);
        });
        modelBuilder.Entity<BlobRow>(e => e.ToTable("blobs").HasKey(b => b.Digest));
        modelBuilder.Entity<RepositoryContentRow>(e =>
        {
            e.ToTable("repository_contents").HasKey(c => new { c.RepositoryId, c.Digest });
            e.HasIndex(c => c.Digest);
        });
        modelBuilder.Entity<DocumentRow>(e => e.ToTable("documents").HasKey(d => new { d.RepositoryId, d.Kind, d.Reference }));
        modelBuilder.Entity<AccessRow>(e => e.ToTable("accesses").HasKey(a => a.Digest));
        modelBuilder.Entity<FetchRow>(e =>
        {
            e.ToTable("fetches").HasKey(f => f.Id);
            e.Property(f => f.Id).ValueGeneratedNever();
            e.HasIndex(f => f.Key, "ix_fetches_active_key").IsUnique().HasFilter(ActiveFilter);
            e.HasIndex(f => f.Key, "ix_fetches_key");
            e.HasIndex(f => f.State, "ix_fetches_active").HasFilter(ActiveFilter);
            e.HasIndex(f => f.FinishedAt, "ix_fetches_finished_at");
        });
        modelBuilder.Entity<FetchSourceRow>(e => e.ToTable("fetch_sources").HasKey(s => new { s.FetchId, s.Upstream, s.Repository }));

        modelBuilder.Entity<UploadRow>(e => e.ToTable("uploads").HasKey(u => new { u.Digest, u.Fence }));

        foreach (var entity in modelBuilder.Model.GetEntityTypes())
            foreach (var property in entity.GetProperties())
                property.SetColumnName(SnakeCase(property.Name));
    }

    /// <summary><c>CheckedAt</c> is <c>checked_at</c>; <c>TraceParent</c> is the header's own word, <c>traceparent</c>.</summary>
    private static string SnakeCase(string name) => name == nameof(FetchRow.TraceParent)
        ? "traceparent"
        : string.Concat(name.Select((c, i) => char.IsUpper(c) ? (i == 0 ? "" : "_") + char.ToLowerInvariant(c) : c.ToString()));
}
