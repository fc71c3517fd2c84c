using Entrepot.TestSupport.Running;

namespace Entrepot.TestSupport.Clients;

/// <summary>A pull that succeeded.</summary>
/// <param name="Command">The client's command and what it wrote.</param>
/// <param name="Digest">The digest of the image as the client tells it after the pull, <c>sha256:…</c>.</param>
/// <param name="Elapsed">How long the pull took.</param>
public sealed record PullResult(CommandResult Command, string Digest, TimeSpan Elapsed)
{
    /// <summary>The client's exit code: 0.</summary>
    public int ExitCode => Command.ExitCode;

    /// <summary>What the client wrote.</summary>
    public string Output => Command.Output;
}
