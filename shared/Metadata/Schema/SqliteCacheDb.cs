using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;

namespace Entrepot.Metadata.Schema;

/// <summary>The schema on SQLite.</summary>
internal sealed class SqliteCacheDb(DbContextOptions<SqliteCacheDb> options) : CacheDb(options)
{
    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<FenceCounterRow>(e =>
        {
            e.ToTable("fence_counter").HasKey(c => c.Id);
            e.Property(c => c.Id).ValueGeneratedNever();
            e.HasData(new FenceCounterRow { Id = 1, Value = 0 });
        });
        base.OnModelCreating(modelBuilder);
    }

    /// <summary>Used by dotnet-ef when a migration is made.</summary>
    internal sealed class Factory : IDesignTimeDbContextFactory<SqliteCacheDb>
    {
        public SqliteCacheDb CreateDbContext(string[] args)
        {
            Sqlite.SqliteBoot.Init();
            return new(new DbContextOptionsBuilder<SqliteCacheDb>().UseSqlite("Data Source=:memory:").Options);
        }
    }
}
