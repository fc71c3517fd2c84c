using System.Globalization;
using Entrepot.Bench.Results;

namespace Entrepot.Bench.Cluster;

/// <summary>What stands above a table: how, when and where it was measured.</summary>
internal sealed record Head(string Title, string Command, string Began, string Version, string Machine, string Versions)
{
    private static readonly (string Command, string Argument)[] Servers = [("psql", "--version"), ("rabbitmqctl", "version"), ("radosgw", "--version"), ("docker-registry", "--version")];

    /// <summary>Of a run that begins now.</summary>
    public static async Task<Head> NowAsync(string title, string command, CancellationToken cancellationToken) => new(
        title, command, TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture), await Results.Machine.EntrepotVersionAsync(cancellationToken),
        Results.Machine.Describe(), await Results.Machine.VersionsAsync(Servers, cancellationToken));

    /// <inheritdoc/>
    public override string ToString() => $"# {Title}\n\n- `{Command}`, {Began} UTC, Entrepot {Version}\n- {Machine}\n- {Versions}; servers, upstream and clients on the same processors as the services\n";
}
