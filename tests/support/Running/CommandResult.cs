namespace Entrepot.TestSupport.Running;

/// <summary>How a command ended and what it wrote.</summary>
/// <param name="Command">The command line, for messages.</param>
/// <param name="ExitCode">Its exit code.</param>
/// <param name="Output">Standard output and standard error, line by line as they came.</param>
/// <param name="StandardOutput">Standard output alone.</param>
public sealed record CommandResult(string Command, int ExitCode, string Output, string StandardOutput);
