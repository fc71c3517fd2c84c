namespace Entrepot.TestSupport.Upstream;

/// <summary>What a gate before a front decided.</summary>
/// <param name="Answered">The gate has answered; nothing is forwarded.</param>
/// <param name="BackendPath">The path to ask the backend for, when it is another than the request's.</param>
internal sealed record GateAnswer(bool Answered, string? BackendPath = null)
{
    public static GateAnswer Done { get; } = new(Answered: true);

    public static GateAnswer Pass { get; } = new(Answered: false);
}
