namespace Entrepot.Storage;

/// <summary>A pass-through has no reader left: going on would bring bytes to nobody.</summary>
public sealed class SpoolUnreadException() : IOException("there is no room on disk, and nobody reads what passes through memory");
