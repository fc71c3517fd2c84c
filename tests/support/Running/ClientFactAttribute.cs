using Entrepot.TestSupport.Product;
using Xunit;

namespace Entrepot.TestSupport.Running;

/// <summary>
/// A fact that needs installed commands, and root when it says so. Where one is missing the fact is skipped with the reason; on CI
/// (<c>CI=true</c>) and with <c>ENTREPOT_REQUIRE_CLIENTS=1</c> it is never skipped, so that what is missing is a failure.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ClientFactAttribute : FactAttribute
{
    private readonly string[] _commands;

    /// <summary>Names the commands the fact needs, for example <c>"docker-registry", "skopeo"</c>.</summary>
    public ClientFactAttribute(params string[] commands) => _commands = commands;

    /// <summary>Whether a missing command is a failure: on CI, or when asked for.</summary>
    public static bool ClientsAreRequired { get; } =
        Environment.GetEnvironmentVariable("CI") is "true" or "1" || Environment.GetEnvironmentVariable("ENTREPOT_REQUIRE_CLIENTS") is "true" or "1";

    /// <summary>Whether the fact starts daemons or mounts file systems, which only root may.</summary>
    public bool NeedsRoot { get; set; }

    /// <summary>Why it is about the standalone service alone, as <see cref="StandaloneFactAttribute"/> says it; null when it is not.</summary>
    public string? StandaloneBecause { get; set; }

    /// <inheritdoc/>
    public override string? Skip
    {
        get => base.Skip ?? (StandaloneBecause is null ? null : Shape.SkipsStandalone(StandaloneBecause)) ?? Reason();
        set => base.Skip = value;
    }

    private string? Reason()
    {
        if (ClientsAreRequired) return null;
        var missing = _commands.Where(command => InstalledCommand.Find(command) is null).ToArray();
        if (missing.Length > 0) return $"not installed: {string.Join(", ", missing)}";
        return NeedsRoot && !Posix.IsRoot ? "needs root" : null;
    }
}
