using Entrepot.Bench.Running;
using Entrepot.TestSupport.Registry;
using Entrepot.TestSupport.Running;

namespace Entrepot.Bench.Targets;

/// <summary>Debian's docker-registry (distribution) as a pull-through cache.</summary>
/// <param name="work">Where its folder lies.</param>
/// <param name="upstream">Where it pulls from.</param>
internal sealed class DockerRegistryProxy(WorkFolder work, Uri upstream) : OwnTarget(DefaultName, work)
{
    /// <summary>Its name.</summary>
    public const string DefaultName = "docker-registry";

    /// <inheritdoc/>
    protected override ChildProcess Start(string folder)
    {
        var file = Path.Combine(folder, "config.yml");
        File.WriteAllText(file, $$"""
            version: 0.1
            log:
              level: warn
              accesslog: {disabled: true}
            storage:
              filesystem:
                rootdirectory: '{{folder}}/data'
              delete: {enabled: true}
            http:
              addr: 127.0.0.1:{{Port}}
              relativeurls: true
            proxy:
              remoteurl: '{{upstream.GetLeftPart(UriPartial.Authority)}}'
            """);
        return ChildProcess.Start(DebianRegistry.Command, ["serve", file]);
    }
}
