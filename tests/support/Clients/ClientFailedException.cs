using Entrepot.TestSupport.Running;

namespace Entrepot.TestSupport.Clients;

/// <summary>A client's command failed. The message has the command, its exit code and all it wrote.</summary>
/// <param name="result">How the command ended.</param>
public sealed class ClientFailedException(CommandResult result) : Exception($"{result.Command} ended with code {result.ExitCode}:\n{result.Output}")
{
    /// <summary>How the command ended.</summary>
    public CommandResult Result { get; } = result;

    /// <summary>The result, when its exit code is 0.</summary>
    /// <exception cref="ClientFailedException">It is not.</exception>
    public static CommandResult ThrowIfFailed(CommandResult result) => result.ExitCode == 0 ? result : throw new ClientFailedException(result);
}
