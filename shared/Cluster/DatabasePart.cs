using Entrepot.Hosting;
using Entrepot.Metadata;

namespace Entrepot.Cluster;

/// <summary>Without the database only what is in memory is served: not down, but degraded. Before its schema was ever there nothing can be.</summary>
internal sealed class DatabasePart(IDatabase database, SchemaReady schema) : IReadinessPart
{
    public string Name => "database";

    public bool Required => !schema.IsReady;

    public async ValueTask<PartHealth> CheckAsync(CancellationToken cancellationToken)
    {
        if (!schema.IsReady) return PartHealth.Down("the schema is not there yet");
        await database.ReadAsync(static async (session, token) => await session.Sql("SELECT 1").FirstOrDefaultAsync(row => row.GetInt32(0), token), cancellationToken);
        return PartHealth.Ok;
    }
}
