using System.Text.Json;
using System.Text.Json.Nodes;
using Entrepot.Bench.Running;
using Entrepot.TestSupport.Running;

namespace Entrepot.Bench.Targets;

/// <summary>Entrepot's standalone service as it was published, with its defaults but for what a variant changes.</summary>
/// <param name="work">Where it was published to.</param>
/// <param name="upstream">Where it pulls from.</param>
/// <param name="name">A variant's name.</param>
/// <param name="change">What a variant changes in <c>entrepot.json</c>.</param>
/// <param name="certificate">Serves https when given.</param>
internal sealed class EntrepotTarget(WorkFolder work, Uri upstream, string name = EntrepotTarget.DefaultName, Action<JsonObject>? change = null, Certificate? certificate = null)
    : OwnTarget(name, work)
{
    /// <summary>Its name with the defaults.</summary>
    public const string DefaultName = "entrepot";

    private const string Registry = "bench.test";
    private readonly WorkFolder _work = work;

    /// <inheritdoc/>
    public override Uri Url => certificate is null ? base.Url : new($"https://127.0.0.1:{Port}");

    /// <inheritdoc/>
    protected override ChildProcess Start(string folder)
    {
        var here = upstream.GetLeftPart(UriPartial.Authority);
        var settings = new JsonObject
        {
            ["Urls"] = Url.GetLeftPart(UriPartial.Authority),
            ["DataDirectory"] = Path.Combine(folder, "data"),
            ["DefaultUpstream"] = Registry,
            ["Upstreams"] = new JsonObject { [Registry] = new JsonObject { [nameof(Url)] = here } },
        };
        if (certificate is not null) settings["Tls"] = new JsonObject { ["CertificateFile"] = certificate.CertificateFile, ["KeyFile"] = certificate.KeyFile };
        change?.Invoke(settings);
        var file = Path.Combine(folder, "entrepot.json");
        File.WriteAllText(file, settings.ToJsonString(new JsonSerializerOptions { WriteIndented = true }));
        return ChildProcess.Start(Path.Combine(_work.Entrepot, "Entrepot.Standalone"), ["--config", file], Production);
    }

    private static readonly Dictionary<string, string?> Production = new() { ["DOTNET_ENVIRONMENT"] = "Production", ["ASPNETCORE_ENVIRONMENT"] = "Production" };
}
