using Entrepot.Hosting;
using Entrepot.Metadata;

namespace Entrepot.Standalone;

/// <summary>Without the database only what is in memory is served: not down, but degraded.</summary>
internal sealed class DatabasePart(IDatabase database) : IReadinessPart
{
    public string Name => "database";

    public bool Required => false;

    public async ValueTask<PartHealth> CheckAsync(CancellationToken cancellationToken)
    {
        await database.ReadAsync(static async (session, token) => await session.Sql("SELECT 1").FirstOrDefaultAsync(row => row.GetInt32(0), token), cancellationToken);
        return PartHealth.Ok;
    }
}
