using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;

namespace Entrepot.Metadata.Schema;

/// <summary>The schema on PostgreSQL.</summary>
internal sealed class PostgresCacheDb(DbContextOptions<PostgresCacheDb> options) : CacheDb(options)
{
    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.HasSequence<long>("fetch_fences");
        base.OnModelCreating(modelBuilder);
    }

    /// <summary>Used by dotnet-ef when a migration is made; no server is contacted.</summary>
    internal sealed class Factory : IDesignTimeDbContextFactory<PostgresCacheDb>
    {
        public PostgresCacheDb CreateDbContext(string[] args) =>
            new(new DbContextOptionsBuilder<PostgresCacheDb>().UseNpgsql("Host=localhost").Options);
    }
}
